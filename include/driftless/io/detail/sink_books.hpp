// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_DETAIL_SINK_BOOKS_HPP
#define DRIFTLESS_IO_DETAIL_SINK_BOOKS_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/plain_name.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What the sinks of this room can be told.
struct sink_options {
    std::string name = "out";  ///< where one job writes to a target more than once: without '.'
    std::uint64_t build = 0;   ///< of the rows it writes; see logged_version
};

namespace detail {
/// A transaction that was prepared: its name is OWNER.INSTANCE.N.ROWS, OWNER is JOB.SINK. Read from the right, since
/// the name of a job may have dots.
struct staged_id {
    std::uint64_t instance = 0;
    std::uint64_t n = 0;
    std::uint64_t rows = 0;  // that the sink was given for the job in all, up to the end of this one
};

/// `count` numbers with a dot between them, nothing else.
inline bool read_numbers(std::string_view from, std::uint64_t* into, std::size_t count) noexcept {
    char const* at = from.data();
    char const* const end = at + from.size();
    for (std::size_t i = 0; i < count; ++i) {
        if (i != 0) {
            if (at == end || *at != '.') return false;
            ++at;
        }
        auto const [stop, problem] = std::from_chars(at, end, into[i]);
        if (problem != std::errc{}) return false;
        at = stop;
    }
    return at == end;
}
inline std::string staged_name(std::string const& owner, staged_id const& of) {
    return owner + "." + std::to_string(of.instance) + "." + std::to_string(of.n) + "." + std::to_string(of.rows);
}
/// Nothing if it is not one of this owner.
inline std::optional<staged_id> staged_of(std::string const& owner, std::string_view name) noexcept {
    if (!name.starts_with(owner) || name.size() == owner.size() || name[owner.size()] != '.') return std::nullopt;
    std::uint64_t numbers[3];
    if (!read_numbers(name.substr(owner.size() + 1), numbers, 3)) return std::nullopt;
    return staged_id{numbers[0], numbers[1], numbers[2]};
}

/// Reads and replaces a file of a few numbers; a file with a wrong checksum is an error.
inline std::optional<std::vector<std::uint64_t>> read_number_file(
    file_system& files, std::string const& path, std::size_t count) {
    auto const bytes = read_whole_file(path, files);
    if (!bytes) return std::nullopt;
    std::vector<std::uint64_t> out(count);
    bool good = bytes->size() == 8 * (count + 1);
    if (good) {
        byte_reader in{*bytes};
        for (auto& each : out) each = in.get_fixed64();
        good = in.get_fixed64() == xxh3_64(bytes->data(), 8 * count, 1);
    }
    if (good) return out;
    throw error{error_code::corrupt,
        "what a sink has written down of its progress is damaged: bring the file back, or start the job and its target "
        "anew",
        path};
}
inline void write_number_file(file_system& files, std::string const& folder, std::string const& name,
    std::vector<std::uint64_t> const& numbers) {
    std::string bytes;
    byte_writer out{bytes};
    for (auto const each : numbers) out.put_fixed64(each);
    out.put_fixed64(xxh3_64(bytes.data(), bytes.size(), 1));
    write_whole_file(folder, name, bytes, files);
}

/// The books of a transactional sink: which of its transactions wait, and how far it has committed, in a file beside
/// its target. The file is written before anything is shown: so whoever starts from an older snapshot is told, whatever
/// was shown by then, and whoever starts from this one shows the rest.
class sink_books {
    file_system* files_ = nullptr;
    std::string folder_;
    std::string file_;
    std::string owner_;
    std::uint64_t instance_ = 0;
    std::uint64_t committed_ = 0;
    std::uint64_t committed_rows_ = 0;
    std::uint64_t rows_ = 0;  // prepared ones too
    std::uint64_t last_ = 0;  // that was prepared
    std::vector<staged_id> waiting_;
    bool open_ = false;

public:
    /// Where the books lie, and whose they are: before staged names can be asked for.
    void begin(file_system& files, std::string folder, std::string_view prefix, std::string_view sink,
        driftless::sink_position const& at) {
        open_ = false;
        auto const job = at.job.empty() ? std::string{"_"} : at.job;
        require_plain_name(job, folder);
        require_plain_name(sink, folder);
        if (sink.find('.') != std::string_view::npos) {
            throw error{error_code::invalid_argument, "the name of a sink has no '.': name it otherwise", folder};
        }
        files_ = &files;
        folder_ = std::move(folder);
        owner_ = job + "." + std::string{sink};
        file_ = std::string{prefix} + owner_ + ".committed";
        instance_ = at.instance;
        waiting_.clear();
        auto const found = read_number_file(files, folder_ + "/" + file_, 2);
        committed_ = found ? (*found)[0] : 0;
        rows_ = committed_rows_ = found ? (*found)[1] : 0;
        if (committed_ > at.snapshot) {
            throw error{error_code::mismatch,
                "the sink has committed snapshot " + std::to_string(committed_) + " of job `" + job
                    + "`, and the job starts from "
                    + (at.snapshot == 0 ? std::string{"its beginning"} : "snapshot " + std::to_string(at.snapshot))
                    +
                    ": its snapshots are gone or older than the target; bring them back, or give the job a new name or "
                    "an empty target",
                folder_};
        }
    }
    /// Of what was staged: show(name, id) for what the snapshot has, drop(name) for all else of this owner.
    template <class Show, class Drop>
    void recover(driftless::sink_position const& at, std::vector<std::string> const& staged, Show const& show,
        Drop const& drop) {
        std::vector<std::pair<staged_id, std::string>> shown;
        for (auto const& name : staged) {
            auto const id = staged_of(owner_, name);
            if (id && id->instance == at.taken_by && id->n <= at.snapshot) shown.emplace_back(*id, name);
        }
        std::sort(shown.begin(), shown.end(), [](auto const& a, auto const& b) { return a.first.n < b.first.n; });
        if (at.snapshot > committed_) decide(at.snapshot, shown.empty() ? committed_rows_ : shown.back().first.rows);
        for (auto const& [id, name] : shown) show(name, id);
        for (auto const& name : staged) {
            auto const id = staged_of(owner_, name);
            bool const taken = id && id->instance == at.taken_by && id->n <= at.snapshot;
            if (id && !taken) drop(name);
        }
        rows_ = committed_rows_;
        last_ = committed_;
        open_ = true;
    }
    /// The name that the transaction n is prepared under.
    [[nodiscard]] std::string next_name(std::uint64_t n, std::uint64_t rows) const {
        if (n <= last_) {
            throw error{error_code::invalid_argument,
                "a sink was to prepare transaction " + std::to_string(n) + " after " + std::to_string(last_)
                    + ": their numbers grow",
                folder_};
        }
        return staged_name(owner_, {instance_, n, rows_ + rows});
    }
    /// It is prepared.
    void prepared(std::uint64_t n, std::uint64_t rows) {
        last_ = n;
        rows_ += rows;
        if (rows != 0) waiting_.push_back({instance_, n, rows_});
    }
    /// May be called again after it threw.
    template <class Show>
    void commit(std::uint64_t n, Show const& show) {
        require_open();
        if (n > committed_) {
            auto rows = committed_rows_;
            for (auto const& each : waiting_) {
                if (each.n <= n) rows = each.rows;
            }
            decide(n, rows);
        }
        while (!waiting_.empty() && waiting_.front().n <= committed_) {
            show(staged_name(owner_, waiting_.front()), waiting_.front());
            waiting_.erase(waiting_.begin());
        }
    }
    void require_open() const {
        if (open_) return;
        throw error{error_code::stopped,
            "a transactional sink was used before recover(): run it in a job, or call recover({}) first", folder_};
    }
    [[nodiscard]] std::uint64_t committed() const noexcept { return committed_; }
    [[nodiscard]] std::uint64_t committed_rows() const noexcept { return committed_rows_; }
    /// Prepared or committed.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::string const& owner() const noexcept { return owner_; }
    [[nodiscard]] std::uint64_t instance() const noexcept { return instance_; }

private:
    void decide(std::uint64_t n, std::uint64_t rows) {
        write_number_file(*files_, folder_, file_, {n, rows});
        committed_ = n;
        committed_rows_ = rows;
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
