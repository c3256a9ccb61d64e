// SPDX-License-Identifier: BSL-1.0
// bench/nexmark - every query of examples/nexmark over generated events: as a batch and as a stream, from memory and
// from files, by one thread. The four give the same rows, or the program ends before anything is timed.
// Words behind the program's name are queries: only these then. It takes five minutes to compile, so:
// flags: O2
#include "house.hpp"

#include "../../examples/nexmark/generator.hpp"

#include <support/contest.hpp>
#include <support/scratch_folder.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {
namespace dl = driftless;
using namespace bench::house;

dl::file_log_options in_files(dl::log_access access) {
    dl::file_log_options out;
    out.access = access;
    out.background = false;
    out.durable = dl::on_close;
    return out;
}

template <class First, class Second>
struct tee {
    First& first;
    Second& second;
    void append(auto const& row) {
        first.append(row);
        second.append(row);
    }
};
/// So many events, in memory and in files.
class generated {
    memory memory_;
    files files_;

    static files written(std::uint64_t events, memory& in, std::string const& prefix) {
        {
            files out{prefix, in_files(dl::log_access::append)};
            struct {
                tee<decltype(in.persons), decltype(out.persons)> persons;
                tee<decltype(in.auctions), decltype(out.auctions)> auctions;
                tee<decltype(in.bids), decltype(out.bids)> bids;
                tee<decltype(in.side_input), decltype(out.side_input)> side_input;
            } to{{in.persons, out.persons}, {in.auctions, out.auctions}, {in.bids, out.bids},
                {in.side_input, out.side_input}};
            nexmark::generator{{.events = events}}.fill(to);
            out.persons.close();
            out.auctions.close();
            out.bids.close();
            out.side_input.close();
        }
        return {prefix, in_files(dl::log_access::read)};
    }

public:
    both const logs{memory_, files_};
    std::uint64_t const events;

    generated(std::uint64_t count, std::string const& prefix)
        : files_(written(count, memory_, prefix)), events(count) {}
    generated(generated const&) = delete;
    generated& operator=(generated const&) = delete;
};

/// The four ways to run a query.
constexpr struct {
    mode how;
    place where;
} ways[] = {{mode::batch, place::memory}, {mode::stream, place::memory}, {mode::batch, place::files},
    {mode::stream, place::files}};
constexpr std::size_t way_count = std::size(ways);

void check(query const& one, both const& logs) {
    outcome first;
    for (auto const& [how, where] : ways) {
        auto const now = one.run({&logs, how, where, true});
        if (how == ways[0].how && where == ways[0].where) first = now;
        if (now.rows == first.rows && now.digest == first.digest && now.records == first.records) continue;
        std::fprintf(stderr, "bench: nexmark: %s differs between a batch from memory and a %s from %s\n",
            one.name.data(), to_string(how).data(), to_string(where).data());
        std::exit(1);
    }
}

/// All threads of the process: what the public suite multiplies, cores and seconds.
double process_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
double median(std::vector<double> sample) { return bench::spread_of(std::move(sample)).median; }

class table {
    std::array<double, way_count> totals_{};

public:
    table() {
        std::printf("nexmark %-10s %-5s %-6s %-6s %10s %10s %10s %10s %6s %9s %16s\n", "built", "query", "mode", "from",
            "events", "records", "rows out", "cores x s", "cores", "seconds", "M records/s/core");
    }
    /// Rounds go on until there are `rounds`, or no more seconds.
    void measure(query const& one, generated const& of, std::size_t rounds, double seconds) {
        std::array<std::vector<double>, way_count> cpu, wall;
        std::array<outcome, way_count> last;
        for (std::size_t round = 0; round < rounds && (round == 0 || seconds > 0); ++round) {
            for (std::size_t i = 0; i < way_count; ++i) {
                auto const way = (i + round) % way_count;
                auto const start = std::chrono::steady_clock::now();
                auto const before = process_seconds();
                last[way] = one.run({&of.logs, ways[way].how, ways[way].where, false});
                cpu[way].push_back(process_seconds() - before);
                wall[way].push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
                seconds -= wall[way].back();
            }
        }
        for (std::size_t way = 0; way < way_count; ++way) {
            auto const used = median(cpu[way]);
            auto const passed = median(wall[way]);
            totals_[way] += used;
            std::printf("nexmark %-10s %-5s %-6s %-6s %10llu %10llu %10llu %10.3f %6.2f %9.3f %16.2f\n",
                DRIFTLESS_BENCH_SUFFIX, one.name.data(), to_string(ways[way].how).data(),
                to_string(ways[way].where).data(), static_cast<unsigned long long>(of.events),
                static_cast<unsigned long long>(last[way].records),
                static_cast<unsigned long long>(last[way].written + last[way].removed), used, used / passed, passed,
                static_cast<double>(last[way].records) / used / 1e6);
        }
        std::fflush(stdout);
    }
    void sum_up() const {
        for (std::size_t way = 0; way < way_count; ++way) {
            std::printf("nexmark %-10s total %-6s %-6s %10.3f cores x s\n", DRIFTLESS_BENCH_SUFFIX,
                to_string(ways[way].how).data(), to_string(ways[way].where).data(), totals_[way]);
        }
    }
};
}  // namespace

int main(int argc, char** argv) {
    bench::print_circumstances();
    char const* const asked = std::getenv("DRIFTLESS_BENCH_EVENTS");  // another number, to look at one query
    std::uint64_t const events = asked != nullptr ? std::strtoull(asked, nullptr, 10)
        : bench::full()                           ? 10'000'000
                                                  : 1'000'000;
    bench::scratch_folder const folder;
    generated const all{events, folder.path() + "/all-"};

    table lines;
    for (auto const some : {selections(), totals(), bests(), joins(), winners()}) {
        for (auto const& one : some) {
            if (argc > 1 && std::find(argv + 1, argv + argc, one.name) == argv + argc) continue;
            check(one, all.logs);
            if (bench::full()) lines.measure(one, all, 5, 60);
            else lines.measure(one, all, 3, 3);
        }
    }
    lines.sum_up();
}
