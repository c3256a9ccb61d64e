// SPDX-License-Identifier: BSL-1.0
// What every sink that takes part in snapshots promises, whatever its target. A subject has files, a target in them and
// sinks for it:
//   memory_files files;                              what survives
//   void open();  void close();                      a process opens the target, and ends
//   auto sink(std::string name = "out")              a std::unique_ptr to a sink of pane<std::int64_t, std::int64_t>
//   std::vector<std::string> seen(job, name)         what the world has seen of a job, row by row as line()
#ifndef DRIFTLESS_TESTS_IO_SINK_CONFORMANCE_HPP
#define DRIFTLESS_TESTS_IO_SINK_CONFORMANCE_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/transactional_sink.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/slow.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sink_conformance {
using namespace driftless;
using testing::fault;
using testing::memory_files;
using row = pane<std::int64_t, std::int64_t>;
using lines = std::vector<std::string>;

inline time_window hour(std::int64_t key) { return {event_time{key * 10}, event_time{key * 10 + 10}}; }
inline row made(std::int64_t key, std::int64_t value) { return {key, hour(key), value, {}}; }
inline std::string line(std::int64_t key, std::int64_t value) {
    return std::to_string(key) + "=" + std::to_string(value);
}
inline sink_position at(std::uint64_t snapshot, std::uint64_t taken_by, std::uint64_t instance,
    std::string job = "job") {
    return {std::move(job), snapshot, taken_by, instance};
}
inline lines numbers(std::vector<std::int64_t> const& values) {
    lines out;
    for (auto const each : values) out.push_back(line(0, each));
    return out;
}
template <class Sink>
void put(Sink& sink, std::int64_t value) {
    sink.write(made(0, value));
}

// --- F-22, and what stands around it -----------------------------------------------------------------------------

template <class Subject>
void a_late_notification_changes_nothing() {  // F-22 (a)
    Subject subject;
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(0, 0, 1));
    put(*sink, 42);
    sink->prepare(1);
    put(*sink, 43);
    sink->prepare(2);
    put(*sink, 44);
    sink->prepare(3);
    put(*sink, 45);  // the transaction that is open
    CHECK(subject.seen().empty());
    sink->commit(3);
    CHECK(subject.seen() == numbers({42, 43, 44}));
    CHECK(sink->committed() == 3);
    sink->commit(2);
    CHECK(sink->committed() == 3);
    sink->commit(3);
    CHECK(subject.seen() == numbers({42, 43, 44}));
}
template <class Subject>
void a_notification_commits_what_was_prepared_up_to_it() {  // F-22 (b)
    Subject subject;
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(0, 0, 1));
    for (std::int64_t const each : {42, 43, 44, 45}) {
        put(*sink, each);
        sink->prepare(static_cast<std::uint64_t>(each - 41));
    }
    sink->commit(2);
    CHECK(subject.seen() == numbers({42, 43}));
    CHECK(sink->committed() == 2);
    sink->commit(4);
    CHECK(subject.seen() == numbers({42, 43, 44, 45}));
}
template <class Subject>
void what_the_snapshot_does_not_have_is_given_up() {  // F-22 (c)
    Subject subject;
    subject.open();
    {
        auto const sink = subject.sink();
        sink->recover(at(0, 0, 1));
        put(*sink, 42);
        sink->prepare(1);
        sink->commit(1);
        put(*sink, 43);
        sink->prepare(2);  // complete, but never told
        put(*sink, 44);
        sink->prepare(3);  // fails elsewhere
        put(*sink, 45);
    }
    subject.close();
    subject.files.restart();
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(2, 1, 2));
    CHECK(sink->committed() == 2);
    CHECK(subject.seen() == numbers({42, 43}));
    CHECK(subject.leftovers() == 0);
    put(*sink, 44);
    sink->prepare(3);
    sink->commit(3);
    CHECK(subject.seen() == numbers({42, 43, 44}));
}
template <class Subject>
void a_commit_that_failed_is_done_at_the_restart_once() {  // E-04
    for (std::uint64_t nth = 1; nth < 4; ++nth) {
        Subject subject;
        subject.open();
        {
            auto const sink = subject.sink();
            sink->recover(at(0, 0, 1));
            put(*sink, 1);
            sink->prepare(1);
            CHECK(subject.seen().empty());
            subject.files.inject(nth, fault::fail);
            CHECK_THROWS_AS(sink->commit(1), error);
            subject.files.inject(0, fault::fail);
            CHECK(subject.seen().size() <= 1);
        }
        subject.close();
        subject.files.restart();
        subject.open();
        auto const sink = subject.sink();
        sink->recover(at(1, 1, 2));
        CHECK(subject.seen() == numbers({1}));
        CHECK(sink->committed() == 1);
        CHECK(subject.leftovers() == 0);
        sink->commit(1);
        CHECK(subject.seen() == numbers({1}));
    }
}
template <class Subject>
void a_snapshot_older_than_the_target_is_refused() {
    Subject subject;
    subject.open();
    {
        auto const sink = subject.sink();
        sink->recover(at(0, 0, 1));
        put(*sink, 1);
        sink->prepare(1);
        sink->commit(1);
        put(*sink, 2);
        sink->prepare(4);
        sink->commit(4);
    }
    for (std::uint64_t const snapshot : {0U, 1U, 3U}) {
        auto const sink = subject.sink();
        try {
            sink->recover(at(snapshot, 1, 2));
            FAIL("it was taken");
        } catch (error const& why) {
            CHECK(why.code() == error_code::mismatch);
            CHECK(std::string{why.what()}.find("snapshot 4") != std::string::npos);
        }
        CHECK_THROWS_AS(put(*sink, 3), error);
    }
    CHECK(subject.seen() == numbers({1, 2}));
    auto const sink = subject.sink();
    sink->recover(at(4, 1, 2));
    CHECK(sink->committed() == 4);
}
template <class Subject>
void leftovers_of_other_instances_are_given_up() {
    Subject subject;
    subject.open();
    {
        auto const lost = subject.sink();
        lost->recover(at(0, 0, 1));
        put(*lost, 1);
        lost->prepare(1);  // instance 1 dies before its manifest
        put(*lost, 7);
    }
    subject.close();
    subject.files.restart();
    subject.open();
    {
        auto const old = subject.sink();
        old->recover(at(0, 0, 2));
        auto const sink = subject.sink();
        sink->recover(at(0, 0, 3));
        CHECK(subject.leftovers() == 0);
        put(*old, 9);
        old->prepare(1);  // does not know that it is dead
        put(*sink, 2);
        sink->prepare(1);  // and 3 behind its manifest
    }
    subject.close();
    subject.files.restart();
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(1, 3, 4));
    CHECK(subject.seen() == numbers({2}));
    CHECK(subject.leftovers() == 0);
}
template <class Subject>
void nothing_written_is_a_transaction_too() {
    Subject subject;
    subject.open();
    {
        auto const sink = subject.sink();
        sink->recover(at(0, 0, 1));
        CHECK(sink->committed() == 0);
        sink->prepare(2);
        sink->commit(2);
        CHECK(sink->committed() == 2);
        sink->prepare(5);
        put(*sink, 1);
        sink->prepare(6);
        sink->prepare(7);
        CHECK_THROWS_AS(sink->prepare(7), error);
        sink->commit(7);
        CHECK(sink->committed() == 7);
    }
    subject.close();
    subject.files.restart();
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(9, 1, 2));
    CHECK(sink->committed() == 9);
    CHECK(subject.seen() == numbers({1}));
}
template <class Subject>
void several_that_wait_are_shown_in_the_order_of_their_numbers() {
    Subject subject;
    subject.open();
    lines expected;
    {
        auto const sink = subject.sink();
        sink->recover(at(0, 0, 9));
        for (std::int64_t i = 8; i < 12; ++i) {
            for (std::int64_t j = 0; j < i; ++j) {
                put(*sink, i * 100 + j);
                expected.push_back(line(0, i * 100 + j));
            }
            sink->prepare(static_cast<std::uint64_t>(i));
        }
        put(*sink, 1);
        sink->prepare(100);
    }
    subject.close();
    subject.files.restart();
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(11, 9, 10));
    CHECK(subject.seen() == expected);
    CHECK(subject.leftovers() == 0);
}
template <class Subject>
void the_same_sink_may_recover_again() {
    Subject subject;
    subject.open();
    auto const sink = subject.sink();
    sink->recover(at(0, 0, 1));
    put(*sink, 1);
    sink->prepare(1);
    sink->commit(1);
    put(*sink, 7);
    sink->prepare(2);
    put(*sink, 8);
    sink->recover(at(1, 1, 2));
    CHECK(subject.leftovers() == 0);
    sink->prepare(2);
    sink->commit(2);
    CHECK(subject.seen() == numbers({1}));
    put(*sink, 2);
    sink->prepare(3);
    sink->commit(3);
    CHECK(subject.seen() == numbers({1, 2}));
}
/// Whatever of a commit was done when it failed: rows that were seen are remembered as committed.
template <class Subject>
void what_was_seen_is_committed_for_good() {
    std::uint64_t refused = 0;
    for (auto const what : {fault::cut, fault::after}) {
        for (std::uint64_t nth = 1;; ++nth) {
            Subject subject;
            subject.open();
            bool failed = false;
            {
                auto const sink = subject.sink();
                sink->recover(at(0, 0, 1));
                put(*sink, 1);
                sink->prepare(1);
                sink->commit(1);
                put(*sink, 2);
                sink->prepare(2);
                subject.files.inject(nth, what);
                try {
                    sink->commit(2);
                } catch (error const&) {
                    failed = true;
                }
            }
            subject.close();
            subject.files.lose_power(nth);
            if (!failed) break;
            subject.open();
            bool const seen = subject.seen() == numbers({1, 2});
            auto const sink = subject.sink();
            INFO("operation " << nth);
            try {
                sink->recover(at(1, 1, 2));  // the newest snapshot is damaged
                CHECK(!seen);
                CHECK(subject.seen() == numbers({1}));
            } catch (error const& why) {
                CHECK(why.code() == error_code::mismatch);
                ++refused;
            }
        }
    }
    CHECK(refused > 0);
}
template <class Subject>
void two_jobs_share_a_target() {
    Subject subject;
    subject.open();
    auto const one = subject.sink();
    auto const two = subject.sink();
    auto const late = subject.sink("late");
    one->recover(at(0, 0, 1, "job"));
    two->recover(at(0, 0, 1, "job.1"));  // whose names look like those of `job`
    late->recover(at(0, 0, 1, "job"));
    put(*one, 1);
    put(*two, 2);
    put(*late, 3);
    two->prepare(1);
    one->prepare(1);
    late->prepare(1);
    two->commit(1);
    CHECK(subject.seen("job.1") == numbers({2}));
    CHECK(subject.seen("job").empty());
    auto const again = subject.sink();
    again->recover(at(0, 0, 2, "job.1.1"));  // no other job's transactions are its leftovers
    one->commit(1);
    late->commit(1);
    CHECK(subject.seen("job") == numbers({1}));
    CHECK(subject.seen("job", "late") == numbers({3}));
}
template <class Subject>
void names_that_are_no_names_are_refused() {
    Subject subject;
    subject.open();
    CHECK_THROWS_AS(subject.sink()->recover(at(0, 0, 1, "../job")), error);
    CHECK_THROWS_AS(subject.sink("a.b")->recover(at(0, 0, 1)), error);
    CHECK_THROWS_AS(subject.sink()->prepare(1), error);
    CHECK_THROWS_AS(subject.sink()->commit(1), error);
    subject.sink()->recover(at(0, 0, 1, ""));
}

// --- a small job ---------------------------------------------------------------------------------------------------

/// Running sums per key: a job in forty lines, with snapshots and sinks in them.
template <class Subject>
class small_job {
    Subject& subject_;
    std::vector<std::pair<std::int64_t, std::int64_t>> const& input_;
    std::map<std::int64_t, std::int64_t> sums_;
    std::uint64_t offset_ = 0;
    std::uint64_t snapshot_ = 0;
    std::uint64_t taken_by_ = 0;
    std::uint64_t instance_ = 0;

public:
    small_job(Subject& subject, std::vector<std::pair<std::int64_t, std::int64_t>> const& input)
        : subject_(subject), input_(input) {}

    /// Reads up to `end` with a snapshot every so many records, and one at the end; what throws ends it.
    void run(std::uint64_t every, std::uint64_t end, bool snapshot_at_end = true) {
        auto& files = subject_.files;
        if (files.make_folder("state")) files.sync_folder("");
        auto const before = read_whole_file("state/instance", files);
        instance_ = before ? std::stoull(*before) + 1 : 1;
        write_whole_file("state", "instance", std::to_string(instance_), files);
        load();
        auto const sink = subject_.sink();
        sink->recover(at(snapshot_, taken_by_, instance_));
        CHECK(sink->committed() == snapshot_);
        while (offset_ < end) {
            auto const [key, value] = input_[offset_++];
            sink->write(made(key, sums_[key] += value));
            if (offset_ % every == 0 && offset_ < end) take_snapshot(*sink);
        }
        if (snapshot_at_end) take_snapshot(*sink);
    }

private:
    template <class Sink>
    void take_snapshot(Sink& sink) {
        auto const n = snapshot_ + 1 + instance_ % 2;
        sink.prepare(n);
        std::string manifest = std::to_string(n) + ' ' + std::to_string(instance_) + ' ' + std::to_string(offset_);
        for (auto const& [key, sum] : sums_) manifest += ' ' + std::to_string(key) + ' ' + std::to_string(sum);
        write_whole_file("state", "manifest", manifest, subject_.files);
        snapshot_ = n;
        sink.commit(n);
    }
    void load() {
        auto const manifest = read_whole_file("state/manifest", subject_.files);
        if (!manifest) return;
        std::vector<std::int64_t> found;
        for (std::size_t i = 0; i < manifest->size(); i = manifest->find(' ', i), i += i != std::string::npos) {
            if (i == std::string::npos) break;
            found.push_back(std::stoll(manifest->substr(i)));
        }
        snapshot_ = static_cast<std::uint64_t>(found[0]);
        taken_by_ = static_cast<std::uint64_t>(found[1]);
        offset_ = static_cast<std::uint64_t>(found[2]);
        for (std::size_t i = 3; i + 1 < found.size(); i += 2) sums_[found[i]] = found[i + 1];
    }
};

/// What a run of running sums shows from the beginning.
inline lines sums_of(std::vector<std::pair<std::int64_t, std::int64_t>> const& input) {
    std::map<std::int64_t, std::int64_t> sums;
    lines out;
    for (auto const& [key, value] : input) out.push_back(line(key, sums[key] += value));
    return out;
}
/// Rows of one key, in order.
inline lines of_key(lines const& all, std::int64_t key) {
    lines out;
    for (auto const& each : all) {
        if (each.starts_with(std::to_string(key) + "=")) out.push_back(each);
    }
    return out;
}
inline bool is_prefix(lines const& all, lines const& of) {
    return all.size() <= of.size() && std::equal(all.begin(), all.end(), of.begin());
}

template <class Subject>
void a_failed_job_goes_on_where_its_last_snapshot_was() {  // E-01, E-02
    std::vector<std::pair<std::int64_t, std::int64_t>> input;
    auto const add = [&](std::int64_t from, std::int64_t to, std::int64_t keys) {
        for (auto i = from; i < to; ++i) {
            for (std::int64_t key = 0; key < keys; ++key) input.emplace_back(key, i);
        }
    };
    add(0, 10, 2);
    auto const committed = input.size();
    add(10, 15, 4);
    auto const processed = input.size();
    add(15, 20, 2);
    auto const whole = sums_of(input);

    Subject subject;
    subject.open();
    {
        small_job job{subject, input};
        job.run(committed, processed, false);
    }
    CHECK(subject.seen().size() == 20);
    for (std::int64_t key = 0; key < 2; ++key) CHECK(is_prefix(of_key(subject.seen(), key), of_key(whole, key)));
    subject.close();
    subject.files.restart();
    subject.open();
    small_job job{subject, input};
    job.run(7, input.size());
    CHECK(whole.size() == 50);
    CHECK(subject.seen().size() == 50);
    for (std::int64_t key = 0; key < 4; ++key) CHECK(of_key(subject.seen(), key) == of_key(whole, key));
    CHECK(of_key(whole, 0).back() == "0=190");
    CHECK(of_key(whole, 2).back() == "2=60");
}

// --- every operation goes wrong --------------------------------------------------------------------------------------

enum class end_by : std::uint8_t {
    going_on,  ///< the process lives, and opens all anew
    crash,
    loss_of_power
};
inline std::uint64_t const power_seeds = test::slow() ? 32 : 3;

/// Runs the job with the nth file operation going wrong; true if it came to it.
template <class Subject>
bool fails_at(Subject& subject, std::vector<std::pair<std::int64_t, std::int64_t>> const& input, std::uint64_t every,
    std::uint64_t nth, fault what, end_by how, std::uint64_t seed) {
    subject.files.inject(nth, what);
    bool failed = false;
    try {
        subject.open();
        small_job job{subject, input};
        job.run(every, input.size());
    } catch (error const& why) {
        failed = true;
        INFO(why.what());
        CHECK((why.code() == error_code::io || why.code() == error_code::stopped));
    }
    subject.close();
    subject.files.inject(0, what);
    if (how == end_by::loss_of_power) subject.files.lose_power(seed);
    else if (how == end_by::crash) subject.files.restart();
    return failed;
}

template <class Subject>
void a_crash_at_any_file_operation_changes_nothing() {
    std::vector<std::pair<std::int64_t, std::int64_t>> input;
    for (std::int64_t i = 0; i < 23; ++i) input.emplace_back(i % 3, i);
    auto const whole = sums_of(input);
    struct kind {
        fault what;
        end_by how;
        std::uint64_t seeds;
    };
    std::uint64_t runs = 0;
    for (auto const [what, how, seeds] :
        {kind{fault::fail, end_by::going_on, 1}, kind{fault::cut, end_by::crash, 1},
            kind{fault::after, end_by::crash, 1}, kind{fault::cut, end_by::loss_of_power, power_seeds},
            kind{fault::after, end_by::loss_of_power, power_seeds}}) {
        bool more = true;
        for (std::uint64_t nth = 1; more; ++nth) {
            for (std::uint64_t seed = 0; seed < seeds && more; ++seed) {
                Subject subject;
                more = fails_at(subject, input, 5, nth, what, how, seed);
                if (!more) break;
                ++runs;
                INFO("fault " << static_cast<int>(what) << ", end by " << static_cast<int>(how) << ", operation " << nth
                              << ", seed " << seed);
                subject.open();
                auto const then = subject.seen();
                auto const one_key_a_prefix = [&](std::int64_t key) {
                    return is_prefix(of_key(then, key), of_key(whole, key));
                };
                for (std::int64_t key = 0; key < 3; ++key) CHECK(one_key_a_prefix(key));
                subject.close();
                if (nth % 3 == 0) fails_at(subject, input, 4, 1 + nth * 7 % 50, what, how, seed + 1);  // and again
                subject.open();
                {
                    small_job job{subject, input};
                    job.run(6, input.size());
                }
                auto const finally = subject.seen();
                CHECK(finally.size() == whole.size());
                for (std::int64_t key = 0; key < 3; ++key) CHECK(of_key(finally, key) == of_key(whole, key));
                CHECK(subject.leftovers() == 0);
                subject.close();
            }
        }
    }
    CHECK(runs > 300);
}

template <class Subject>
void all_of_it() {
    SECTION("F-22a: a late notification changes nothing") { a_late_notification_changes_nothing<Subject>(); }
    SECTION("F-22b: a notification commits what was prepared up to it") {
        a_notification_commits_what_was_prepared_up_to_it<Subject>();
    }
    SECTION("F-22c: what the snapshot does not have is given up") {
        what_the_snapshot_does_not_have_is_given_up<Subject>();
    }
    SECTION("E-01, E-02: a failed job goes on where its last snapshot was") {
        a_failed_job_goes_on_where_its_last_snapshot_was<Subject>();
    }
    SECTION("E-04: a commit that failed is done at the restart, once") {
        a_commit_that_failed_is_done_at_the_restart_once<Subject>();
    }
    SECTION("a snapshot older than the target is refused") { a_snapshot_older_than_the_target_is_refused<Subject>(); }
    SECTION("leftovers of other instances are given up") { leftovers_of_other_instances_are_given_up<Subject>(); }
    SECTION("nothing written is a transaction too") { nothing_written_is_a_transaction_too<Subject>(); }
    SECTION("several that wait are shown in the order of their numbers") {
        several_that_wait_are_shown_in_the_order_of_their_numbers<Subject>();
    }
    SECTION("the same sink may recover again") { the_same_sink_may_recover_again<Subject>(); }
    SECTION("what was seen is committed for good") { what_was_seen_is_committed_for_good<Subject>(); }
    SECTION("two jobs share a target") { two_jobs_share_a_target<Subject>(); }
    SECTION("names that are no names are refused") { names_that_are_no_names_are_refused<Subject>(); }
    SECTION("a crash at any file operation changes nothing") {
        a_crash_at_any_file_operation_changes_nothing<Subject>();
    }
}
}  // namespace sink_conformance
#endif
