// SPDX-License-Identifier: BSL-1.0
// bench/memory.cpp - what a job takes from the system. Peak bytes per open (key, window) of a tumbling job, of a table
// written by hand that is told the number of entries beforehand; and the peak of a tumbling job over ten times as many
// records, which must not grow. Each runs in a process of its own, whose resident memory is looked at.
#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>

#include <support/contest.hpp>
#include <support/random.hpp>
#include <support/sales.hpp>
#include <support/tumbling_by_hand.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

namespace dl = driftless;
using namespace dl::literals;

namespace {
using bench::sale;

constexpr auto per_user = dl::from<sale>()
    | dl::assign_time<&sale::at>(dl::bounded_disorder{1_s})
    | dl::key_by<&sale::user>()
    | dl::window(dl::tumbling{1_min})
    | dl::aggregate(dl::count(), dl::sum<&sale::cents>());

/// A field of /proc/self/status, in bytes.
std::size_t memory_now(char const* field) {
    auto* const file = std::fopen("/proc/self/status", "r");
    if (file == nullptr) return 0;
    char line[256];
    unsigned long kib = 0;
    while (std::fgets(line, sizeof line, file) != nullptr) {
        if (std::strncmp(line, field, std::strlen(field)) == 0) std::sscanf(line + std::strlen(field), ": %lu", &kib);
    }
    std::fclose(file);
    return kib * 1024;
}

struct measured {
    std::size_t peak;       // above what the process had before
    std::uint64_t records;  // that it applied
    std::int64_t sum;       // of what it said
};
/// f() in a process of its own.
template <class F>
measured in_child(F f) {
    int ends[2];
    if (pipe(ends) != 0) std::exit(1);
    auto const child = fork();
    if (child < 0) std::exit(1);
    if (child == 0) {
        if (auto* const reset = std::fopen("/proc/self/clear_refs", "w")) {  // the peak begins anew
            std::fputs("5", reset);
            std::fclose(reset);
        }
        auto const before = memory_now("VmRSS");
        measured out = f();
        auto const peak = memory_now("VmHWM");
        out.peak = peak > before ? peak - before : 0;
        bool const told = write(ends[1], &out, sizeof out) == static_cast<ssize_t>(sizeof out);
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    measured out{};
    bool const heard = read(ends[0], &out, sizeof out) == static_cast<ssize_t>(sizeof out);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!heard || status != 0) {
        std::fprintf(stderr, "bench: memory: a process has failed\n");
        std::exit(1);
    }
    return out;
}

/// Records that are made as they are read, so that no log takes memory: `step` apart, users in turn.
struct made_up {
    std::uint64_t keys;
    std::uint64_t at = 0;
    std::vector<sale> some = std::vector<sale>(4096);

    std::vector<sale> const& next(dl::duration step) {
        for (auto& each : some) {
            bench::random scatter{at % keys};
            each = {static_cast<std::int64_t>(scatter()), static_cast<std::int64_t>(at % 1000),
                dl::event_time{static_cast<std::int64_t>(at) * step.ns()}};
            ++at;
        }
        return some;
    }
};

/// A job whose log is forgotten as it is read. What is open at the end is not told.
measured by_pipeline(std::uint64_t keys, std::uint64_t records, dl::duration step) {
    measured out{};
    made_up source{keys};
    dl::memory_log<sale> log;
    dl::job follow{dl::stream{}, per_user, log, dl::to([&](auto const& row) { out.sum += std::get<1>(row.value); })};
    while (out.records < records) {
        log.append(source.next(step));
        out.records += follow.poll();
        log.trim(0, log.end_offset());
    }
    return out;
}

/// The entries one behind the other, and places that say where: 40 bytes for each where the number is known.
class packed_table {
    struct entry {
        std::int64_t key;
        bench::by_hand::totals totals;
    };
    std::vector<entry> entries_;
    std::vector<std::uint32_t> places_;
    int shift_;

public:
    explicit packed_table(std::size_t most)
        : places_(bench::by_hand::places_for(most, 2)), shift_(bench::by_hand::shift_for(places_.size())) {
        entries_.reserve(most);
    }
    void add(std::int64_t key, std::int64_t amount) {
        for (auto i = static_cast<std::size_t>((static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15u) >> shift_);;
            i = (i + 1) % places_.size()) {
            if (places_[i] == 0) {
                entries_.push_back({key, {amount, 1}});
                places_[i] = static_cast<std::uint32_t>(entries_.size());
                return;
            }
            auto& at = entries_[places_[i] - 1];
            if (at.key != key) continue;
            at.totals.sum += amount;
            ++at.totals.count;
            return;
        }
    }
};
measured by_hand(std::uint64_t keys, std::uint64_t records, dl::duration step) {
    measured out{};
    made_up source{keys};
    packed_table table{keys};
    while (out.records < records) {
        for (auto const& each : source.next(step)) table.add(each.user, each.cents);
        out.records += source.some.size();
    }
    bench::keep(table);
    return out;
}

void say(char const* name, measured const& candidate, measured const& floor, double per, double goal) {
    if (candidate.records != floor.records) {
        std::fprintf(stderr, "bench: memory: %s: they have not read the same\n", name);
        std::exit(1);
    }
    std::printf("info %s %.1f bytes, by hand %.1f\n", bench::named(name).c_str(),
        static_cast<double>(candidate.peak) / per, static_cast<double>(floor.peak) / per);
    std::printf("ratio %s %.3f goal %.2f\n", bench::named(name).c_str(),
        static_cast<double>(candidate.peak) / static_cast<double>(floor.peak), goal);
}

/// All of the first window, and nothing of another.
void entries(std::uint64_t keys) {
    auto const one_window = 1_us;
    auto const candidate = in_child([&] { return by_pipeline(keys, keys, one_window); });
    auto const floor = in_child([&] { return by_hand(keys, keys, one_window); });
    say(("memory_of_" + std::to_string(keys) + "_entries").c_str(), candidate, floor, static_cast<double>(keys), 1.5);
}

/// Ten times the records in the same memory: 6,000 windows of 1,000 keys by default, one after the other.
void long_run() {
    auto const records = std::uint64_t{bench::full() ? 10'000'000U : 1'000'000U};
    auto const step = 6_ms;
    auto const some = in_child([&] { return by_pipeline(1'000, records, step); });
    auto const many = in_child([&] { return by_pipeline(1'000, 10 * records, step); });
    std::printf("info %s %zu bytes after %llu records, %zu after ten times as many\n",
        bench::named("memory_of_a_long_run").c_str(), some.peak, static_cast<unsigned long long>(some.records),
        many.peak);
    std::printf("ratio %s %.3f goal 1.10\n", bench::named("memory_of_a_long_run").c_str(),
        static_cast<double>(many.peak) / static_cast<double>(some.peak));
}
}  // namespace

int main() {
    bench::print_circumstances();
    entries(1'000'000);
    entries(1'800'000);
    long_run();
}
