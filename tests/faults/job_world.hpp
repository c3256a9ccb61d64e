// SPDX-License-Identifier: BSL-1.0
// A job in a world that can be crashed: it reads a log, keeps snapshots, and writes to logs through log_sink.
#ifndef DRIFTLESS_TESTS_FAULTS_JOB_WORLD_HPP
#define DRIFTLESS_TESTS_FAULTS_JOB_WORLD_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/log/file_log.hpp>
#include <driftless/run/job.hpp>
#include <faults/simulator.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faults {

inline event_time fake_now{};
inline event_time fake_clock() { return fake_now; }

template <class In>
struct row_in_log {
    using type = logged_row<typename In::key, typename In::record>;
};
template <class In>
    requires driftless::detail::is_row_of<typename In::key, typename In::record>
struct row_in_log<In> {
    using type = logged_row<typename In::key, typename std::remove_cvref_t<decltype(In::record::value)>>;
};
template <class In>
    requires(std::is_same_v<typename In::key, unkeyed> && !In::window::assigned)
struct row_in_log<In> {
    using type = typename In::record;
};
/// What a log holds of the rows of a pipeline.
template <class P>
using row_of = typename row_in_log<output_of<P>>::type;

template <class Row>
file_log<Row> open_log(memory_files& files, std::string const& path) {
    file_log_options how;
    how.background = false;
    how.durable = on_close;  // what a transaction prepares is durable all the same
    how.block_bytes = 1024;
    how.files = &files;
    how.clock = &fake_clock;
    how.id = {3, path.size()};
    return file_log<Row>{path, how};
}
/// f(row) for what readers see of a log, in order.
template <class Row, class F>
void each_shown(memory_files& files, std::string const& path, F&& f) {
    if (!files.exists(path)) return;
    auto const log = open_log<Row>(files, path);
    for (auto at = log.begin_offset(), end = log.end_offset(); at < end;) {
        auto const block = log.read(0, at);
        block.each(0, block.size(), [&](std::size_t, Row const& row) { f(row); });
        at += block.size();
    }
}
/// "PATH BYTES"
template <class Row>
void add_shown(memory_files& files, std::string const& path, std::vector<std::string>& to) {
    each_shown<Row>(files, path, [&](Row const& row) {
        std::string bytes;
        byte_writer{bytes}.write(row);
        std::string hex;
        for (char const c : bytes) {
            constexpr char const* digits = "0123456789abcdef";
            (hex += digits[static_cast<unsigned char>(c) >> 4U]) += digits[static_cast<unsigned char>(c) & 15U];
        }
        to.push_back(path + " " + hex);
    });
}

/// One input, one output.
template <class P, class Log>
struct job_world {
    memory_files files{};
    P const& pipeline;
    Log const& log;
    snapshot_options options{};

    job_world(P const& of, Log const& from, std::uint64_t records_per_snapshot) : pipeline(of), log(from) {
        options.every = {};
        options.records = records_per_snapshot;
        options.logic_version = "1";
        options.files = &files;
        fake_now = event_time{1'700'000'000'000'000'000};
    }
    [[nodiscard]] stream mode() const {
        return {.snapshots = "state", .clock = &fake_clock, .snapshot_options = options};
    }
    void live(lifeline& line) {
        auto out = open_log<row_of<P>>(files, "out");
        log_sink sink{out};
        job running{mode(), pipeline, log, sink};
        to_the_end(running, line);
    }
    static void to_the_end(auto& running, lifeline& line) {
        for (;;) {
            auto const fed = running.poll(line.room(1'000'000));
            line.pushed(fed);
            if (fed == 0) break;
        }
        running.drain();
    }
    std::vector<std::string> shown() {
        std::vector<std::string> rows;
        add_shown<row_of<P>>(files, "out", rows);
        return rows;
    }
};
/// The same with a side output, which is a sink of the job as well.
template <class Name, class Side, class P, class Log>
struct two_sinks_world : job_world<P, Log> {
    using job_world<P, Log>::job_world;
    void live(lifeline& line) {
        auto out = open_log<row_of<P>>(this->files, "out");
        auto side = open_log<Side>(this->files, "side");
        log_sink sink{out};
        log_sink to_side{side};
        job running{this->mode(), this->pipeline, this->log, bind(Name{}, to_side), sink};
        this->to_the_end(running, line);
    }
    std::vector<std::string> shown() {
        auto rows = job_world<P, Log>::shown();
        add_shown<Side>(this->files, "side", rows);
        return rows;
    }
};
}  // namespace faults
#endif
