// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_READER_POSITION_HPP
#define DRIFTLESS_LOG_READER_POSITION_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/log/detail/format.hpp>
#include <driftless/log/detail/plain_name.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How a reader registers with a log.
struct reader_options {
    duration lease = duration{3'600'000'000'000};  ///< who does not renew() for so long is forgotten
    bool pin = false;                              ///< nothing it has not passed is removed, whatever the retention
};

namespace detail {
/// Who registers, and what it asks for.
enum class registrant : std::uint32_t {
    reader = 0,          // retention may wait for it
    pinning_reader = 1,  // nothing is removed before it
    pin = 2,             // the same, but no reader: who reads everything need not wait for it
};
/// A file of the folder `readers`.
struct registration {
    std::int64_t expires = 0;
    registrant who = registrant::reader;
    std::vector<std::uint64_t> offsets;  // ~0: not concerned

    static constexpr std::string_view folder_name = "readers";
    static constexpr std::string_view magic = "DRFTRDR\x01";
};

inline std::string encode(registration const& of, log_id id) {
    std::string out{registration::magic};
    put(out, std::uint32_t{log_format_version});
    put(out, of.who);
    put(out, of.expires);
    put(out, static_cast<std::uint64_t>(of.offsets.size()));
    for (auto const offset : of.offsets) put(out, offset);
    put(out, xxh3_64(out.data(), out.size(), id.low));
    return out;
}
/// Nothing if the bytes are not a registration with that log.
inline std::optional<registration> decode_registration(std::string_view bytes, log_id id) {
    constexpr std::size_t start = 32;
    if (bytes.size() < start + 8 || bytes.substr(0, 8) != registration::magic) return std::nullopt;
    auto const count = get<std::uint64_t>(bytes, 24);
    if (count > bytes.size() || bytes.size() != start + 8 * count + 8
        || get<std::uint32_t>(bytes, 8) != static_cast<std::uint32_t>(log_format_version)
        || get<registrant>(bytes, 12) > registrant::pin
        || get<std::uint64_t>(bytes, bytes.size() - 8) != xxh3_64(bytes.data(), bytes.size() - 8, id.low)) {
        return std::nullopt;
    }
    registration out{get<std::int64_t>(bytes, 16), get<registrant>(bytes, 12), {}};
    for (std::size_t i = 0; i < count; ++i) out.offsets.push_back(get<std::uint64_t>(bytes, start + 8 * i));
    return out;
}

/// How far the registered readers have come in a partition.
struct registered_offsets {
    std::optional<std::uint64_t> slowest;  // of all readers; nothing if there are none
    std::optional<std::uint64_t> pinned;   // the least of those that pin
};
/// Removes what has expired. A file that cannot be read pins everything: better too much is kept than too little.
inline std::vector<registered_offsets> read_registrations(file_system& files, std::string const& log_folder, log_id id,
    std::uint32_t partitions, event_time now) {
    std::vector<registered_offsets> out(partitions);
    auto const lower = [](std::optional<std::uint64_t>& to, std::uint64_t offset) {
        to = std::min(to.value_or(offset), offset);
    };
    auto const folder = log_folder + "/" + std::string{registration::folder_name};
    for (auto const& each : files.list(folder)) {
        if (each.folder || each.name.ends_with(".new")) continue;
        auto const path = folder + "/" + each.name;
        auto const bytes = read_whole_file(path, files);
        if (!bytes) continue;  // withdrawn meanwhile
        auto const found = decode_registration(*bytes, id);
        bool const sound = found && found->offsets.size() == partitions;
        if (sound && event_time{found->expires} < now) {
            files.remove(path);
            continue;
        }
        for (std::uint32_t p = 0; p < partitions; ++p) {
            auto const offset = sound ? found->offsets[p] : 0;
            if (!sound || found->who != registrant::pin) lower(out[p].slowest, offset);
            if (!sound || found->who != registrant::reader) lower(out[p].pinned, offset);
        }
    }
    return out;
}
}  // namespace detail

/// How far a named reader of a log has come: what retention by the slowest reader looks at, and what a pin holds.
///
/// State       A file in the folder of the log, which outlives the process: whoever registers with the same name goes
///             on where it stood. It is forgotten when its lease is over.
/// Errors      invalid_argument for the name; corrupt where the file is damaged; io.
/// Threads     One at a time.
/// Complexity  One small file is replaced by each move_to, withdraw and renew.
class reader_position {
    file_system* files_;
    std::string folder_;
    std::string name_;
    log_id id_;
    duration lease_;
    event_time (*clock_)();
    detail::registration now_;

public:
    /// Use register_reader or pin of a log instead.
    reader_position(file_system& files, std::string const& log_folder, log_id id, std::vector<std::uint64_t> begin,
        std::string name, detail::registrant who, duration lease, event_time (*clock)())
        : files_(&files),
          folder_(log_folder + "/" + std::string{detail::registration::folder_name}),
          name_(std::move(name)),
          id_(id),
          lease_(lease),
          clock_(clock),
          now_{0, who, std::move(begin)} {
        detail::require_plain_name(name_, folder_);
        if (files.make_folder(folder_)) files.sync_folder(log_folder);
        auto const path = folder_ + "/" + name_;
        auto& offsets = now_.offsets;
        if (auto const bytes = read_whole_file(path, files)) {
            auto const found = detail::decode_registration(*bytes, id_);
            if (!found || found->offsets.size() != offsets.size()) {
                throw error{error_code::corrupt,
                    "the registration of the reader is damaged or of another log: remove the file to begin anew, which "
                    "forgets where the reader was",
                    path};
            }
            for (std::size_t p = 0; p < offsets.size(); ++p) offsets[p] = std::max(offsets[p], found->offsets[p]);
        }
        renew();
    }

    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    /// The next offset to read.
    [[nodiscard]] std::uint64_t offset(std::uint32_t partition = 0) const { return now_.offsets.at(partition); }
    /// Everything below `offset` is done with. Never goes back.
    void move_to(std::uint32_t partition, std::uint64_t offset) {
        DRIFTLESS_ASSERT(partition < now_.offsets.size(), "the log has no such partition");
        now_.offsets[partition] = std::max(now_.offsets[partition], offset);
        renew();
    }
    /// The lease begins again.
    void renew() {
        now_.expires = (clock_() + lease_).ns();
        write_whole_file(folder_, name_, detail::encode(now_, id_), *files_);
    }
    /// The log forgets the reader.
    void withdraw() {
        files_->remove(folder_ + "/" + name_);
        files_->sync_folder(folder_);
    }
};

/// Keeps records from being removed as long as it lives, by whatever process; at most for its lease if the process
/// dies.
class log_pin {
    std::optional<reader_position> held_;

public:
    explicit log_pin(reader_position held) : held_(std::move(held)) {}
    log_pin(log_pin&& other) noexcept : held_(std::exchange(other.held_, std::nullopt)) {}
    log_pin& operator=(log_pin&& other) noexcept {
        std::swap(held_, other.held_);
        return *this;
    }
    ~log_pin() {
        try {
            if (held_) held_->withdraw();
        } catch (...) {  // NOLINT(bugprone-empty-catch): it expires
        }
    }
    /// The lease begins again.
    void renew() { held_->renew(); }
    /// Holds no more than what is at or behind the offset.
    void move_to(std::uint32_t partition, std::uint64_t offset) { held_->move_to(partition, offset); }
};
}  // namespace driftless::inline v0
#endif
