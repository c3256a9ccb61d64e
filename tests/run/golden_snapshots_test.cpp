// SPDX-License-Identifier: BSL-1.0
// Snapshots that earlier versions wrote, tests/golden/snapshots/VERSION/PIPELINE: this version reads them, and goes on
// as if it had never stopped. Red is right only for a version that says in the changelog that it reads them no more.
//
// A new version adds its own: run this program once with DRIFTLESS_WRITE_GOLDEN=1, which writes the folder of the
// version in version.hpp if it is not there, and commit it. Folders of earlier versions are never written again.
#include <driftless/agg/collect.hpp>
#include <driftless/agg/count.hpp>
#include <driftless/agg/mean.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/agg/sum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/assign_time.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/distinct.hpp>
#include <driftless/op/filter.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/join.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/process.hpp>
#include <driftless/op/session.hpp>
#include <driftless/op/sliding.hpp>
#include <driftless/op/top.hpp>
#include <driftless/op/trigger.hpp>
#include <driftless/op/window.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace driftless;
using namespace driftless::literals;
using testing::memory_files;

namespace golden_snapshots {
struct sale {
    text shop;
    std::int32_t item;
    std::int64_t cents;
    event_time at;
};
struct visits {
    struct state {
        value_state<std::int64_t> sum;
        event_timer quiet;
    };
    void on_record(state& own, sale const& s, auto& context) const {
        own.sum = own.sum.value_or(0) + s.cents;
        context.set(own.quiet, s.at + 5_s);
    }
    void on_timer(state& own, fired_timer const&, auto& context) const {
        context.emit(own.sum.value_or(-1));
        own.sum = 0;
    }
};
}  // namespace golden_snapshots
BOOST_HANA_ADAPT_STRUCT(golden_snapshots::sale, shop, item, cents, at);
BOOST_HANA_ADAPT_STRUCT(golden_snapshots::visits::state, sum, quiet);

namespace {
using golden_snapshots::sale;
namespace fs = std::filesystem;
constexpr std::int64_t all_records = 600;
constexpr std::int64_t before_snapshot = 400;

sale nth(std::int64_t i) {
    static char const* const shops[] = {"", "north", "south", "a shop with a name that is long"};
    auto const mixed = static_cast<std::int64_t>(static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15u >> 40);
    return {text{shops[mixed % 4]}, static_cast<std::int32_t>(mixed / 4 % 21) - 3, mixed / 7 % 1000 - 200,
        event_time{i * 100'000'000 - mixed % 2'000 * 1'000'000}};
}
void append(memory_log<sale>& log, std::int64_t from, std::int64_t to) {
    for (auto i = from; i < to; ++i) log.append(nth(i), static_cast<std::uint32_t>(i % 2));
}
std::string version() {
    return std::to_string(version_major) + "." + std::to_string(version_minor) + "." + std::to_string(version_patch);
}
fs::path folder_of_all() {
    return fs::path{__FILE__}.parent_path().parent_path() / "golden" / "snapshots";
}
event_time no_clock() { return event_time{1'700'000'000'000'000'000}; }

struct recorder {
    std::vector<std::string> lines;
    void write(auto const& row) { lines.push_back(encode(row)); }
    void remove(auto const& key, time_window window) { lines.push_back("remove " + encode(key) + encode(window)); }
};
stream from_folder(memory_files& files) {
    snapshot_options const options{
        .every = {}, .keep = 1, .job = "golden", .logic_version = "1", .files = &files};
    return {.snapshots = "state", .clock = &no_clock, .snapshot_options = options};
}
void load_folder(fs::path const& from, memory_files& into) {
    into.make_folder("state");
    for (auto const& each : fs::directory_iterator{from}) {
        std::ifstream in{each.path(), std::ios::binary};
        std::string const bytes{std::istreambuf_iterator<char>{in}, {}};
        into.open("state/" + each.path().filename().string(), open_mode::create)->write_at(0, bytes);
    }
}
void save_folder(memory_files& from, fs::path const& into) {
    fs::create_directories(into);
    for (auto const& each : from.list("state")) {
        if (each.name == "lock") continue;
        auto const file = from.open("state/" + each.name, open_mode::read);
        std::string bytes(static_cast<std::size_t>(file->size()), '\0');
        REQUIRE(file->read_at(0, bytes.data(), bytes.size()) == bytes.size());
        std::ofstream{into / each.name, std::ios::binary} << bytes;
    }
}

template <class P>
void check(std::string const& name, P const& pipeline) {
    INFO(name);
    // What a job that never stopped says behind the place of the snapshot, and the snapshot that it leaves there.
    memory_log<sale> log{2};
    recorder once;
    memory_files files;
    job running{from_folder(files), pipeline, bind("sales"_name, log), once};
    append(log, 0, before_snapshot / 2);
    running.poll();
    running.save_snapshot();
    append(log, before_snapshot / 2, before_snapshot);
    running.poll();
    running.save_snapshot();
    auto const own = folder_of_all() / version() / name;
    if (std::getenv("DRIFTLESS_WRITE_GOLDEN") != nullptr && !fs::exists(own)) save_folder(files, own);
    auto const said_before = static_cast<std::ptrdiff_t>(once.lines.size());
    append(log, before_snapshot, all_records);
    running.drain();
    std::vector<std::string> const expected{once.lines.begin() + said_before, once.lines.end()};
    CHECK(!expected.empty());

    std::size_t read = 0;
    for (auto const& each : fs::directory_iterator{folder_of_all()}) {
        INFO("written by " << each.path().filename().string());
        if (!fs::exists(each.path() / name)) continue;  // what there was not yet
        recorder out;
        for (int const threads : {1, 3}) {
            memory_files copy;
            load_folder(each.path() / name, copy);
            out.lines.clear();
            auto how = stream{from_folder(copy)};
            how.threads = threads;
            job again{how, pipeline, bind("sales"_name, log), out};
            CHECK(again.metrics().records > before_snapshot / 2);
            CHECK(again.metrics().warnings.empty());
            again.drain();
            CHECK(out.lines == expected);
        }
        ++read;
    }
    CHECK(read != 0);
}
auto timed() { return from<sale>("sales"_name) | assign_time<&sale::at>(bounded_disorder{2_s}); }
}  // namespace

TEST_CASE("golden snapshots: windows, and corrections of them", "[run][snapshots][golden]") {
    auto const late = window(tumbling{10_s}, allowed_lateness{20_s});
    check("windows",
        timed() | key_by<&sale::shop>() | late
            | aggregate(count(), sum<&sale::cents>(), min<&sale::cents>(), mean<&sale::item>(), max<&sale::shop>()));
    check("windows_by_number",
        timed() | key_by<&sale::item>() | window(tumbling{10_s}, allowed_lateness{60_s})  // an incremental one
            | aggregate(count(), sum<&sale::cents>(), max<&sale::cents>()));
}
TEST_CASE("golden snapshots: sliding windows", "[run][snapshots][golden]") {
    check("sliding",
        timed() | key_by<&sale::item>() | window(sliding{12_s, 3_s}) | aggregate(count(), sum<&sale::cents>()));
}
TEST_CASE("golden snapshots: sessions", "[run][snapshots][golden]") {
    check("sessions",
        timed() | key_by<&sale::item>() | window(session{2_s}) | aggregate(count(), collect<&sale::cents>()));
}
TEST_CASE("golden snapshots: named triggers", "[run][snapshots][golden]") {
    check("triggers",
        timed() | key_by<&sale::item>()
            | window(tumbling{10_s}, allowed_lateness{20_s}, at_watermark().early(every(3)).late(every(2)))
            | aggregate(count(), sum<&sale::cents>()));
}
TEST_CASE("golden snapshots: process, with timers", "[run][snapshots][golden]") {
    check("process",
        timed() | key_by<&sale::shop>() | process<std::int64_t>(golden_snapshots::visits{}, max_keys{100}));
}
TEST_CASE("golden snapshots: ids and values that have been seen", "[run][snapshots][golden]") {
    check("dedup", timed() | key_by<&sale::shop>() | dedup<&sale::item>(7_s));
    check("distinct", timed() | key_by<&sale::shop>() | window(tumbling{10_s}) | distinct<&sale::item>());
}
TEST_CASE("golden snapshots: joins", "[run][snapshots][golden]") {
    auto const side = [](auto keep) {
        return timed() | filter(keep) | key_by<&sale::shop>() | window(tumbling{10_s});
    };
    auto const left = side([](sale const& s) { return s.item < 0; });
    auto const right = side([](sale const& s) { return s.item > 14; });
    check("window_join", join(left, right, left_outer{}));
}
