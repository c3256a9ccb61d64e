// SPDX-License-Identifier: BSL-1.0
// examples/own_sink.cpp - a sink of one's own that takes part in snapshots: alarms in a text file, each exactly once.
// The job dies between the two phases, and starts again.
// expect: before the crash: 1 line, after the restart:
// expect: boiler 91
// expect: boiler 95
// expect: oven 99
#include <driftless/driftless.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

namespace dl = driftless;
using namespace driftless::literals;

struct reading {
    dl::text device;
    std::int64_t degrees;
};
BOOST_HANA_ADAPT_STRUCT(reading, device, degrees);

/// A folder with a file per transaction that waits, and one that is shown and replaced as a whole. The first line of
/// that says which snapshot it has.
class alarm_file {
    std::string folder_;
    dl::sink_position at_;
    std::string lines_;   // since the last prepare
    std::string shown_;
    std::uint64_t committed_ = 0;

    std::string staged(std::uint64_t n) const {
        return "staged-" + std::to_string(at_.instance) + "-" + std::to_string(n);
    }

public:
    explicit alarm_file(std::string folder) : folder_(std::move(folder)) {
        std::filesystem::create_directories(folder_);
    }

    void write_record(reading const& r) { lines_ += r.device.str() + ' ' + std::to_string(r.degrees) + '\n'; }

    void prepare(std::uint64_t n) {  // durable when it returns, and seen by nobody
        dl::write_whole_file(folder_, staged(n), lines_);
        lines_.clear();
    }
    void commit(std::uint64_t n) {  // all up to n; what was committed before changes nothing
        for (auto i = committed_ + 1; i <= n; ++i) show(folder_ + '/' + staged(i), i);
    }
    void recover(dl::sink_position const& at) {  // the snapshot decides
        lines_.clear();
        committed_ = 0;
        shown_.clear();
        if (auto const bytes = dl::read_whole_file(folder_ + "/alarms")) {
            committed_ = std::stoull(*bytes);
            shown_ = bytes->substr(bytes->find('\n') + 1);
        }
        if (committed_ > at.snapshot) {
            throw dl::error{dl::error_code::mismatch, "the alarms are ahead of the snapshots", folder_};
        }
        at_ = at;
        at_.instance = at.taken_by;
        commit(at.snapshot);
        at_ = at;
        for (auto const& each : dl::real_files().list(folder_)) {
            if (each.name.starts_with("staged-")) dl::real_files().remove(folder_ + '/' + each.name);
        }
    }
    [[nodiscard]] std::uint64_t committed() const { return committed_; }

private:
    void show(std::string const& path, std::uint64_t n) {
        auto const lines = dl::read_whole_file(path);
        if (!lines) return;
        auto const all = shown_ + *lines;
        dl::write_whole_file(folder_, "alarms", std::to_string(n) + '\n' + all);
        shown_ = all;
        committed_ = n;
        dl::real_files().remove(path);
    }
};
static_assert(dl::transactional_sink<alarm_file>);
static_assert(dl::delivery_of<alarm_file> == dl::delivery::exactly_once);

inline constexpr auto alarms =
    dl::from<reading>()
    | dl::filter([](reading const& r) { return r.degrees > 90; });

/// Dies where the sink is to commit for the nth time.
struct dies_at_commit : alarm_file {
    int left = 2;
    using alarm_file::alarm_file;
    void commit(std::uint64_t n) {
        if (--left == 0) throw dl::error{dl::error_code::io, "the power went"};
        alarm_file::commit(n);
    }
};

int main() {
    auto const folder = (std::filesystem::temp_directory_path() / "driftless_own_sink").string();
    std::filesystem::remove_all(folder);
    dl::memory_log<reading> readings;
    for (auto const degrees : {91, 20, 95, 60}) readings.append({"boiler", degrees});

    dl::stream mode{.snapshots = folder, .until = dl::end_of_log};
    mode.snapshot_options.records = 2;
    try {
        std::filesystem::create_directories(folder);
        dies_at_commit sink{folder + "/out"};
        dl::run(mode, alarms, readings, sink);
    } catch (dl::error const&) {
        auto const text = dl::read_whole_file(folder + "/out/alarms").value();
        auto const lines = std::count(text.begin(), text.end(), '\n') - 1;
        std::cout << "before the crash: " << lines << " line, after the restart:\n";
    }
    readings.append({"oven", 99});
    alarm_file sink{folder + "/out"};
    dl::run(mode, alarms, readings, sink);
    auto const text = dl::read_whole_file(folder + "/out/alarms").value();
    std::cout << text.substr(text.find('\n') + 1);
    std::filesystem::remove_all(folder);
}
