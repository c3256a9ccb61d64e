// SPDX-License-Identifier: BSL-1.0
// bench/log.cpp - appending to and reading from file_log, against bare system calls on the same bytes, and against
// logs of other makers that are installed. Files are in memory unless DRIFTLESS_BENCH_DIR says where.
#include <driftless/log/file_log.hpp>
#include <driftless/log/memory_log.hpp>

#include <support/contest.hpp>
#include <support/log_peers.hpp>
#include <support/logged_sales.hpp>
#include <support/random.hpp>
#include <support/scratch_folder.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dl = driftless;
using namespace bench::logged;

struct visit {
    dl::text page;
    std::int64_t user;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(visit, page, user, at);

namespace {
constexpr std::size_t write_size = std::size_t{512} * 1024;

void fail(char const* what) {
    std::perror(what);
    std::exit(1);
}
/// A file written with bare system calls, in pieces of 512 KiB.
class bare_file {
    int fd_;
    std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(write_size);
    std::size_t used_ = 0;

public:
    explicit bare_file(std::string const& path)
        : fd_(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666)) {
        if (fd_ < 0) fail("bench: open");
    }
    void put(void const* bytes, std::size_t size) {
        if (used_ + size > write_size) flush();
        std::memcpy(buffer_.get() + used_, bytes, size);
        used_ += size;
    }
    void flush() {
        if (::write(fd_, buffer_.get(), used_) != static_cast<ssize_t>(used_)) fail("bench: write");
        used_ = 0;
    }
    void close() {
        flush();
        ::fdatasync(fd_);
        ::close(fd_);
    }
};

dl::file_log_options in_front() {
    dl::file_log_options out;
    out.background = false;
    out.durable = dl::on_close;
    out.segment_bytes = std::uint64_t{1} << 30;
    return out;
}


// --- appending -------------------------------------------------------------------------------------------------

template <class Record, class Layout = dl::rows, class Range>
digest append_all(std::string const& path, dl::file_log_options const& options, Range const& records) {
    dl::file_log<Record, Layout> log{path, options};
    for (auto const& each : records) log.append(each);
    log.close();
    return {log.end_offset(), 0};
}

digest append_batches(std::string const& path, std::vector<sale> const& sales) {
    dl::file_log<sale> log{path, in_front()};
    for (std::size_t i = 0; i < sales.size(); i += 64) {
        log.append(std::span{sales}.subspan(i, std::min<std::size_t>(64, sales.size() - i)));
    }
    log.close();
    return {log.end_offset(), 0};
}
/// 32-byte records, one append each, by the thread that also writes; `batches` for 64 at a time.
void append_rows(bench::scratch_folder const& in, std::vector<sale> const& sales) {
    bench::contest<digest> game{"log_append_rows", sales.size()};
    auto const floor = game.add("write", [&] {
        bare_file out{in.fresh("bare")};
        for (auto const& each : sales) out.put(&each, sizeof each);
        out.close();
        return digest{sales.size(), 0};
    });
    auto const singly =
        game.add("append", [&] { return append_all<sale>(in.fresh("log"), in_front(), sales); });
    auto const batches = game.add("append of 64", [&] { return append_batches(in.fresh("log"), sales); });
    game.run();
    game.ratio("log_append_rows", singly, floor, {1.30});
    game.ratio("log_append_rows_batches", batches, floor, {1.30});
}
/// What the appending thread spends while another one writes.
void append_behind(bench::scratch_folder const& in, std::vector<sale> const& sales) {
    bench::contest<digest> game{"log_append_background", sales.size()};
    auto const floor = game.add("write", [&] {
        bare_file out{in.fresh("bare")};
        for (auto const& each : sales) out.put(&each, sizeof each);
        out.close();
        return digest{sales.size(), 0};
    });
    auto options = in_front();
    options.background = true;
    auto const behind = game.add("append", [&] { return append_all<sale>(in.fresh("log"), options, sales); });
    game.run();
    game.ratio("log_append_background", behind, floor, {1.05});
}
/// Records of 200 bytes, most of it text; the floor writes the same encoding, its length in front.
void append_packed(bench::scratch_folder const& in) {
    constexpr std::size_t count = 200'000;
    std::string pages;
    bench::random draw{7};
    for (std::size_t i = 0; i < count * 180; ++i) pages += static_cast<char>('a' + draw.below(26));
    std::vector<visit> visits;
    for (std::size_t i = 0; i < count; ++i) {
        dl::text const page{pages.data() + i * 180, 180 + i % 5 - 4};
        visits.push_back({page, static_cast<std::int64_t>(draw.below(1'000'000)),
            dl::event_time{static_cast<std::int64_t>(i * 1'000'000)}});
    }
    bench::contest<digest> game{"log_append_packed", count};
    auto const floor = game.add("write", [&] {
        bare_file out{in.fresh("bare")};
        std::string bytes;
        for (auto const& each : visits) {
            bytes.clear();
            dl::byte_writer{bytes}.write(each);
            auto const size = static_cast<std::uint32_t>(bytes.size());
            out.put(&size, sizeof size);
            out.put(bytes.data(), bytes.size());
        }
        out.close();
        return digest{count, 0};
    });
    auto const packed =
        game.add("append", [&] { return append_all<visit, dl::packed>(in.fresh("log"), in_front(), visits); });
    game.run();
    game.ratio("log_append_packed", packed, floor, {1.40});
}
/// Other logs on the same records, none syncing. RocksDB writes one by one, as file_log appends; for what a batch of 64
/// is to both, see the line about batches.
void append_peers(bench::scratch_folder const& in, std::vector<sale> const& sales) {
    bench::contest<digest> game{"log_append_peers", sales.size()};
    auto const ours = game.add("file_log", [&] { return append_all<sale>(in.fresh("log"), in_front(), sales); });
    auto const batches = game.add("file_log of 64", [&] { return append_batches(in.fresh("log"), sales); });
    auto const peer = [&]<class Peer>(Peer append, std::string name) -> std::optional<std::size_t> {
        if constexpr (requires { append(std::string{}, sales); }) {
            return game.add(name, [&in, &sales, append, name] {
                append(in.fresh(name), sales);
                return digest{sales.size(), 0};
            });
        } else {
            bench::skipped("log_append_vs_" + name, "not installed");
            return std::nullopt;
        }
    };
    auto const rocks = peer(bench::peers::rocksdb<1>{}, "rocksdb");
    auto const rocks64 = peer(bench::peers::rocksdb<64>{}, "rocksdb_batches");
    auto const lite = peer(bench::peers::sqlite{}, "sqlite");
    auto const lmdb = peer(bench::peers::lmdb{}, "lmdb");
    game.run({.seconds = 4, .least_rounds = 5});
    if (rocks) game.ratio("log_append_vs_rocksdb", *rocks, ours, {8, true});
    if (rocks64) game.info("log_append_vs_rocksdb_batches", *rocks64, batches);
    if (lite) game.ratio("log_append_vs_sqlite", *lite, ours, {10, true});
    if (lmdb) game.ratio("log_append_vs_lmdb", *lmdb, ours, {2.5, true});
}

// --- reading ---------------------------------------------------------------------------------------------------

dl::file_log_options to_read() {
    auto out = in_front();
    out.access = dl::log_access::read;
    return out;
}
template <class Layout>
void keep_sales(std::string const& path, std::vector<sale> const& sales) {
    auto options = in_front();
    options.segment_bytes = std::uint64_t{64} << 20;
    dl::file_log<sale, Layout> log{path, options};
    log.append(sales);
    log.close();
}
/// One member of every record is added up: from the same bytes by read(2), from rows, from columns.
void replay(bench::scratch_folder const& in, std::vector<sale> const& sales) {
    auto const bare = in.fresh("bare");
    {
        bare_file out{bare};
        for (auto const& each : sales) out.put(&each, sizeof each);
        out.close();
    }
    keep_sales<dl::rows>(in.fresh("rows"), sales);
    keep_sales<dl::columns>(in.fresh("columns"), sales);
    bench::contest<digest> game{"log_replay", sales.size()};
    auto const floor = game.add("read", [&] {
        digest out;
        auto const buffer = std::make_unique<sale[]>(8192);
        int const fd = ::open(bare.c_str(), O_RDONLY | O_CLOEXEC);
        for (;;) {
            auto const got = ::read(fd, buffer.get(), 8192 * sizeof(sale));
            if (got <= 0) break;
            auto const count = static_cast<std::size_t>(got) / sizeof(sale);
            for (std::size_t i = 0; i < count; ++i) out.sum += static_cast<std::uint64_t>(buffer[i].cents);
            out.records += count;
        }
        ::close(fd);
        return out;
    });
    auto const rows =
        game.add("rows", [&] { return sum_cents(dl::file_log<sale>{in.path() + "/rows", to_read()}); });
    auto const columns = game.add(
        "columns", [&] { return sum_cents(dl::file_log<sale, dl::columns>{in.path() + "/columns", to_read()}); });
    game.run();
    game.ratio("log_replay_rows", rows, floor, {1.15});
    game.ratio("log_replay_columns", columns, rows, {0.75});
}

/// A whole job, from files and from memory.
void job(bench::scratch_folder const& in, std::vector<sale> const& sales) {
    keep_sales<dl::columns>(in.fresh("columns"), sales);
    dl::memory_log<sale, dl::columns> memory;
    memory.append(sales);
    bench::contest<digest> game{"log_job", sales.size()};
    dl::file_log<sale, dl::columns> const file{in.path() + "/columns", to_read()};
    auto const from_memory = game.add("memory", [&] { return run_job(memory); });
    auto const from_file = game.add("file", [&] { return run_job(file); });
    game.run({.seconds = 4, .least_rounds = 7});
    game.ratio("log_job_columns", from_file, from_memory, {1.25});
}

/// One record out of 10 million, at random, checked; the floor reads the block that it is in.
void random_read(bench::scratch_folder const& in) {
    constexpr std::size_t count = 10'000'000;
    auto const path = in.fresh("large");
    {
        auto const sales = make_sales(count);
        keep_sales<dl::rows>(path, sales);
    }
    constexpr std::size_t reads = 2'000;
    dl::file_log<sale> const log{path, to_read()};
    std::vector<std::string> segments;
    if (auto* const folder = ::opendir((path + "/p00000").c_str())) {
        while (auto const* const each = ::readdir(folder)) {
            std::string const name = each->d_name;
            if (name.ends_with(".segment")) segments.push_back(path + "/p00000/" + name);
        }
        ::closedir(folder);
    }
    std::sort(segments.begin(), segments.end());
    std::vector<int> fds;
    for (auto const& each : segments) fds.push_back(::open(each.c_str(), O_RDONLY | O_CLOEXEC));
    auto const block_bytes = dl::file_log_options{}.block_bytes;
    bench::contest<digest> game{"log_random_read", reads};
    auto const ours = game.add("read", [&] {
        bench::random draw{99};
        digest out;
        for (std::size_t i = 0; i < reads; ++i) {
            auto const block = log.read(0, draw.below(count));
            out.sum += static_cast<std::uint64_t>(block[0].cents);
        }
        return out;
    });
    auto const floor = game.add_unequal("pread of the block", [&] {
        bench::random draw{99};
        auto const buffer = std::make_unique<char[]>(block_bytes);
        digest out;
        for (std::size_t i = 0; i < reads; ++i) {
            auto const fd = fds[draw.below(fds.size())];
            auto const at = static_cast<off_t>(draw.below(500) * block_bytes);
            if (::pread(fd, buffer.get(), block_bytes, at) <= 0) fail("bench: pread");
            out.sum += static_cast<unsigned char>(buffer[i % block_bytes]);
        }
        return out;
    });
    game.run();
    game.ratio("log_random_read", ours, floor, {3.0});
    for (int const fd : fds) ::close(fd);
}

/// A log of a thousand segments: opened, against listing its folder and mapping its index files.
void open_many(bench::scratch_folder const& in) {
    auto const path = in.fresh("many");
    {
        auto options = in_front();
        options.segment_bytes = 4096;
        options.block_bytes = 4096;
        dl::file_log<sale> log{path, options};
        for (std::int64_t i = 0; i < 126'000; ++i) log.append({i, i, i, dl::event_time{i}});
        log.close();
    }
    auto const folder = path + "/p00000";
    bench::contest<std::uint64_t> game{"log_open", 1'000};
    auto const ours =
        game.add("open", [&] { return dl::file_log<sale>{path, to_read()}.end_offset(); });
    auto const floor = game.add_unequal("list and map indexes", [&] {
        std::uint64_t found = 0;
        auto* const list = ::opendir(folder.c_str());
        std::vector<std::string> names;
        while (auto const* const each = ::readdir(list)) names.emplace_back(each->d_name);
        ::closedir(list);
        std::sort(names.begin(), names.end());
        for (auto const& name : names) {
            if (!std::string_view{name}.ends_with(".index")) continue;
            int const fd = ::open((folder + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
            struct ::stat of{};
            if (::fstat(fd, &of) != 0) fail("bench: fstat");
            auto const size = static_cast<std::size_t>(of.st_size);
            auto* const at = static_cast<char*>(::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0));
            ::close(fd);
            found += static_cast<unsigned char>(at[0]);
            ::munmap(at, size);
        }
        return found;
    });
    game.run();
    game.ratio("log_open", ours, floor, {3.0});
}

// --- from a writer to a reader in another process ----------------------------------------------------------------

std::int64_t now_ns() {
    return std::chrono::steady_clock::now().time_since_epoch().count();
}
/// A child sends `count` times, now and then; the parent receives with `receive(i)`, which returns when i was sent.
template <class Send, class Receive>
double median_latency(std::size_t count, Send send, Receive receive) {
    auto const child = ::fork();
    if (child == 0) {
        for (std::size_t i = 0; i < count; ++i) {
            auto const until = now_ns() + 50'000;
            while (now_ns() < until) {}
            send(i);
        }
        ::_exit(0);
    }
    std::vector<double> waited;
    for (std::size_t i = 0; i < count; ++i) {
        auto const sent = receive(i);
        waited.push_back(static_cast<double>(now_ns() - sent));
    }
    ::waitpid(child, nullptr, 0);
    return bench::spread_of(std::move(waited)).median;
}
void tail(bench::scratch_folder const& in) {
    constexpr std::size_t count = 2'000;
    std::vector<double> quotients;
    double pipes = 0;
    double logs = 0;
    for (int round = 0; round < 5; ++round) {
        int ends[2];
        if (::pipe(ends) != 0) fail("bench: pipe");
        pipes = median_latency(
            count,
            [&](std::size_t) {
                sale const out{0, 0, now_ns(), {}};
                if (::write(ends[1], &out, sizeof out) != sizeof out) ::_exit(1);
            },
            [&](std::size_t) {
                sale got{};
                if (::read(ends[0], &got, sizeof got) != sizeof got) fail("bench: read");
                return got.item;
            });
        ::close(ends[0]);
        ::close(ends[1]);

        auto const path = in.fresh("tailed");
        { dl::file_log<sale> const made{path, in_front()}; }
        std::unique_ptr<dl::file_log<sale>> writer;
        dl::file_log<sale> const reader{path, to_read()};
        logs = median_latency(
            count,
            [&](std::size_t) {
                if (!writer) writer = std::make_unique<dl::file_log<sale>>(path, in_front());
                writer->append({0, 0, now_ns(), {}});
                writer->flush();
            },
            [&](std::size_t i) {
                while (reader.end_offset() <= i) {}
                return reader.read(0, i)[0].item;
            });
        quotients.push_back(logs / pipes);
    }
    auto const value = bench::spread_of(quotients);
    std::printf("info %s pipe %.0f ns, log %.0f ns, quartiles %.3f to %.3f\n", bench::named("log_tail").c_str(), pipes,
        logs, value.low, value.high);
    std::printf("ratio %s %.3f goal 2.00\n", bench::named("log_tail").c_str(), value.median);
}
}  // namespace

int main(int argc, char** argv) {
    bench::print_circumstances();
    bench::scratch_folder const folder;
    auto const sales = make_sales(1'000'000);
    auto const wanted = [&](std::string_view part) {
        return argc < 2 || std::find(argv + 1, argv + argc, part) != argv + argc;
    };
    if (wanted("append")) append_rows(folder, sales);
    if (wanted("background")) append_behind(folder, sales);
    if (wanted("packed")) append_packed(folder);
    if (wanted("peers")) append_peers(folder, sales);
    if (wanted("replay")) replay(folder, make_sales(4'000'000));
    if (wanted("job")) job(folder, sales);
    if (wanted("random")) random_read(folder);
    if (wanted("open")) open_many(folder);
    if (wanted("tail")) tail(folder);
}
