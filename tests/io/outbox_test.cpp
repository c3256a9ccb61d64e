// SPDX-License-Identifier: BSL-1.0
#include <driftless/io/outbox.hpp>

#include <driftless/io/outbox_sink.hpp>
#include <driftless/testing/memory_files.hpp>
#include <io/sink_conformance.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace outbox_test {
using namespace driftless;
struct charge {
    text account;
    std::int64_t cents;
};
}  // namespace outbox_test
BOOST_HANA_ADAPT_STRUCT(outbox_test::charge, account, cents);

namespace {
using namespace driftless;
using namespace driftless::literals;
using namespace sink_conformance;
using outbox_test::charge;

event_time fake_now{};
event_time fake_clock() { return fake_now; }
void wait(duration for_) { fake_now = fake_now + for_; }

struct outbox_subject {
    memory_files files;
    void open() {
        if (files.make_folder("out")) files.sync_folder("");
    }
    void close() {}
    auto sink(std::string name = "out") {
        return std::make_unique<outbox_sink<row>>(
            "out", directory_options{.name = std::move(name), .buffer_bytes = 64, .files = &files});
    }
    lines seen(std::string const& job = "job", std::string const& name = "out") {
        lines out;
        std::uint64_t number = 0;
        for (auto const& part : directory_parts("out", files)) {
            if (part.job != job || part.sink != name) continue;
            driftless::detail::effect_reader from{files, part.path, fingerprint_of_schema<row>()};
            while (auto const each = from.next()) {
                CHECK(each->number == number++);
                auto const made = decode<row>(each->bytes);
                out.push_back(line(made.key, made.value));
            }
        }
        return out;
    }
    std::size_t leftovers() {
        std::size_t count = 0;
        for (auto const& each : files.list("out/.staged")) {
            count += each.name.ends_with(".committed") || each.name.ends_with(".lock") ? 0 : 1;
        }
        return count;
    }
};

outbox_options options(memory_files& files) {
    outbox_options out;
    out.clock = &fake_clock;
    out.files = &files;
    return out;
}
/// An outbox with so many charges, n cents each, the snapshots so long.
struct charges {
    memory_files files;
    std::uint64_t snapshot = 0;
    std::int64_t next = 0;

    explicit charges(std::int64_t count = 0) {
        fake_now = event_time{1'000'000'000'000};
        files.make_folder("out");
        files.sync_folder("");
        if (count > 0) add(count);
    }
    void add(std::int64_t count) {
        outbox_sink<charge> sink{"out", {.files = &files}};
        sink.recover({"job", snapshot, snapshot, snapshot + 1});
        for (; count > 0; --count, ++next) {
            std::string const account = "account " + std::to_string(next);
            sink.write_record(charge{text{account}, next});
        }
        sink.prepare(++snapshot);
        sink.commit(snapshot);
    }
};
using numbers_t = std::vector<std::uint64_t>;
}  // namespace

static_assert(transactional_sink<outbox_sink<charge>>);
static_assert(delivery_of<outbox_sink<charge>> == delivery::exactly_once);
TEST_CASE("an outbox sink is transactional", "[io][sink][outbox]") { all_of_it<outbox_subject>(); }

TEST_CASE("an outbox makes the calls that are committed, once each, in order", "[io][outbox]") {
    charges of;
    outbox<charge> box{"out", options(of.files)};
    std::vector<std::string> made;
    auto const call = [&](effect<charge> const& each) {
        CHECK(each.attempt == 1);
        CHECK(each.deadline == fake_now + 30_s);
        CHECK(each.id == "job.out." + std::to_string(each.number));
        made.push_back(each.row.account.str() + "=" + std::to_string(each.row.cents));
    };
    CHECK(box.deliver(call).delivered == 0);
    {
        outbox_sink<charge> sink{"out", {.files = &of.files}};
        sink.recover({"job", 0, 0, 1});
        sink.write_record(charge{text{"a"}, 1});
        sink.prepare(1);
        sink.write_record(charge{text{"b"}, 2});
        sink.prepare(2);
        sink.write_record(charge{text{"c"}, 3});
        CHECK(box.deliver(call).delivered == 0);
        sink.commit(1);
        CHECK(box.deliver(call).delivered == 1);
        CHECK(made == std::vector<std::string>{"a=1"});
        CHECK(directory_parts("out", of.files).empty());
        sink.commit(2);
    }
    of.snapshot = 2;
    of.add(2);
    auto const round = box.deliver(call);
    CHECK(round.delivered == 3);
    CHECK(round.next == event_time::max());
    CHECK(made == std::vector<std::string>{"a=1", "b=2", "account 0=0", "account 1=1"});
    CHECK(box.delivered() == 4);
    CHECK(box.waiting() == 0);
    CHECK(box.deliver(call).delivered == 0);
}

TEST_CASE("a call that fails is made again after ever longer waits, others go on", "[io][outbox]") {
    charges of{3};
    auto how = options(of.files);
    how.first_wait = 1_s;
    how.factor = 3;
    how.longest_wait = 10_s;
    how.attempts = 6;
    outbox<charge> box{"out", how};
    std::vector<std::pair<std::uint64_t, std::uint32_t>> calls;
    auto const call = [&](effect<charge> const& each) {
        calls.emplace_back(each.number, each.attempt);
        if (each.number == 1) throw std::runtime_error{"no money"};
    };
    auto round = box.deliver(call);
    CHECK(round.delivered == 2);
    CHECK(round.failed == 1);
    CHECK(round.next == fake_now + 1_s);
    CHECK(box.deliver(call).failed == 0);  // not yet
    std::uint32_t attempt = 1;
    for (auto const gap : {1_s, 3_s, 9_s, 10_s}) {
        wait(gap - 1_ns);
        CHECK(box.deliver(call).failed == 0);
        wait(1_ns);
        round = box.deliver(call);
        CHECK(round.failed == 1);
        CHECK(calls.back() == std::pair<std::uint64_t, std::uint32_t>{1, ++attempt});
    }
    CHECK(box.dead_letters().empty());
    wait(10_s);
    round = box.deliver(call);
    CHECK(round.died == 1);
    CHECK(round.failed == 0);
    CHECK(round.next == event_time::max());
    CHECK(calls.size() == 8);
    auto const dead = box.dead_letters();
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].id == "job.out.1");
    CHECK(dead[0].row.account == text{"account 1"});
    CHECK(dead[0].attempts == 6);
    CHECK(dead[0].reason == "no money");
    CHECK(box.waiting() == 0);
}

TEST_CASE("a dead letter is kept until somebody retries or drops it", "[io][outbox]") {
    charges of{4};
    auto const refuse = [](effect<charge> const& each) -> call_result {
        if (each.number % 2 == 0) return call_state::done;
        return {call_state::refused, "account " + std::to_string(each.number) + " is closed"};
    };
    {
        outbox<charge> box{"out", options(of.files)};
        auto const round = box.deliver(refuse);
        CHECK(round.delivered == 2);
        CHECK(round.died == 2);
    }
    of.files.restart();
    outbox<charge> box{"out", options(of.files)};
    REQUIRE(box.dead_letters().size() == 2);
    CHECK(box.dead_letters()[1].reason == "account 3 is closed");
    CHECK(box.dead_letters()[1].attempts == 1);
    CHECK_FALSE(box.retry(2));
    CHECK_FALSE(box.drop(7));
    CHECK(box.drop(1));
    CHECK(box.retry(3));
    CHECK_FALSE(box.retry(3));
    CHECK(box.dead_letters().empty());
    numbers_t calls;
    CHECK(box.deliver([&](effect<charge> const& each) {
                 CHECK(each.attempt == 1);
                 CHECK(each.row.account == text{"account 3"});
                 calls.push_back(each.number);
             })
              .delivered
        == 1);
    CHECK(calls == numbers_t{3});
}

TEST_CASE("a call that has begun waits for its answer until its deadline", "[io][outbox]") {
    charges of{4};
    auto how = options(of.files);
    how.timeout = 5_s;
    how.first_wait = 2_s;
    how.attempts = 2;
    outbox<charge> box{"out", how};
    auto const begin = [](effect<charge> const&) { return call_state::begun; };
    auto round = box.deliver(begin);
    CHECK(round.delivered + round.failed == 0);
    CHECK(round.next == fake_now + 5_s);
    CHECK(box.waiting() == 4);
    CHECK(box.settle(0, call_state::done));
    CHECK_FALSE(box.settle(0, call_state::done));
    CHECK(box.settle(1, {call_state::refused, "never"}));
    CHECK(box.settle(2, {call_state::again, "busy"}));
    CHECK_FALSE(box.settle(2, call_state::done));  // it is not under way
    CHECK(box.delivered() == 1);
    wait(5_s - 1_ns);
    numbers_t calls;
    auto const note = [&](effect<charge> const& each) {
        calls.push_back(each.number);
        return each.number != 3;
    };
    CHECK(box.deliver(note).delivered == 1);  // 2 has waited
    wait(1_ns);
    CHECK(box.deliver(note).failed == 1);  // 3 has no answer in time
    CHECK_FALSE(box.settle(3, call_state::done));
    CHECK(calls == numbers_t{2});
    wait(2_s);
    CHECK(box.deliver(note).died == 1);
    CHECK(calls == numbers_t{2, 3});
    auto const dead = box.dead_letters();
    REQUIRE(dead.size() == 2);
    CHECK(dead[0].reason == "never");
    CHECK(dead[1].number == 3);
}

TEST_CASE("no more effects are begun than may wait; one at a time keeps the order", "[io][outbox]") {
    for (std::size_t const most : {1U, 3U}) {
        charges of{6};
        auto how = options(of.files);
        how.waiting = most;
        how.attempts = 0;
        outbox<charge> box{"out", how};
        numbers_t calls;
        auto const down = [&](effect<charge> const& each) {
            calls.push_back(each.number);
            return false;
        };
        CHECK(box.deliver(down).failed == most);
        CHECK(box.waiting() == most);
        wait(1_h);
        CHECK(box.deliver(down).failed == most);
        CHECK(calls.size() == 2 * most);
        calls.clear();
        auto const up = [&](effect<charge> const& each) { calls.push_back(each.number); };
        wait(1_h);
        CHECK(box.deliver(up).delivered == 6);
        CHECK(calls == numbers_t{0, 1, 2, 3, 4, 5});
    }
}

TEST_CASE("a call may settle others and itself", "[io][outbox]") {
    charges of{3};
    outbox<charge> box{"out", options(of.files)};
    box.deliver([](effect<charge> const& each) { return each.number < 2 ? call_state::begun : call_state::again; });
    wait(1_s);
    auto const round = box.deliver([&](effect<charge> const& each) -> call_result {
        CHECK(each.number == 2);
        for (std::uint64_t i = 0; i < 2; ++i) CHECK(box.settle(i, call_state::done));
        CHECK(each.row.account == text{"account 2"});
        return call_state::done;
    });
    CHECK(round.delivered == 1);
    CHECK(box.delivered() == 3);
    CHECK(box.waiting() == 0);
}

TEST_CASE("an outbox that dies at any file operation calls each effect, and few twice", "[io][outbox]") {
    for (auto const what : {fault::fail, fault::cut, fault::after}) {
        for (bool const power : {false, true}) {
            for (std::uint64_t nth = 1;; ++nth) {
                charges of{3};
                of.add(4);
                std::map<std::uint64_t, int> calls;
                std::set<std::uint64_t> refused;
                bool failed = false;
                of.files.inject(nth, what);
                for (int starts = 0; starts < 2; ++starts) {
                    try {
                        outbox<charge> box{"out", options(of.files)};
                        for (int i = 0; i < 5; ++i) {
                            box.deliver([&](effect<charge> const& each) {
                                CHECK(each.id == "job.out." + std::to_string(each.number));
                                CHECK(each.row.cents == static_cast<std::int64_t>(each.number));
                                ++calls[each.number];
                                if (each.number == 2) return call_state::refused;
                                return each.number == 3 && each.attempt < 3 ? call_state::again : call_state::done;
                            });
                            wait(10_s);
                        }
                        if (failed || starts == 1) {
                            INFO("operation " << nth);
                            CHECK(box.waiting() == 0);
                            REQUIRE(box.dead_letters().size() == 1);
                            CHECK(box.dead_letters()[0].number == 2);
                            CHECK(box.delivered() == 6);
                        }
                    } catch (error const& why) {
                        CHECK(why.code() == error_code::io);
                        failed = true;
                    }
                    if (power) of.files.lose_power(nth);
                    else of.files.restart();
                }
                INFO("operation " << nth << ", fault " << static_cast<int>(what) << ", power " << power);
                CHECK(calls.size() == 7);
                int more = 0;
                for (auto const& [number, count] : calls) more += count - (number == 3 ? 3 : 1);
                CHECK(more >= 0);
                CHECK(more <= (failed ? 2 : 0));  // the call before the crash, and attempts that were not noted
                if (!power) CHECK(directory_parts("out", of.files).empty());
                if (!failed) {
                    CHECK(nth > 20);
                    break;
                }
            }
        }
    }
}

TEST_CASE("a dead letter that was dropped behind a crash is not called again", "[io][outbox]") {
    for (auto const what : {fault::cut, fault::after}) {
        for (std::uint64_t nth = 1;; ++nth) {
            charges of{4};
            auto const refuse = [](effect<charge> const& each) {
                return each.number == 2 ? call_state::refused : call_state::done;
            };
            bool failed = false;
            of.files.inject(nth, what);
            try {
                outbox<charge> box{"out", options(of.files)};
                box.deliver(refuse);
            } catch (error const&) {
                failed = true;
            }
            of.files.restart();
            outbox<charge> box{"out", options(of.files)};
            bool dropped = box.drop(2);
            box.deliver([&](effect<charge> const& each) {
                if (dropped) CHECK(each.number != 2);
                return refuse(each);
            });
            if (!dropped) CHECK(box.drop(2));
            CHECK(box.dead_letters().empty());
            if (!failed) break;
        }
    }
}

TEST_CASE("a call that kills the process is a dead letter in the end, if attempts are noted first", "[io][outbox]") {
    for (bool const noted : {false, true}) {
        charges of{3};
        auto how = options(of.files);
        how.attempts = 3;
        how.note_first = noted;
        numbers_t calls;
        int deaths = 0;
        for (int start = 0; start < 6; ++start) {
            try {
                outbox<charge> box{"out", how};
                box.deliver([&](effect<charge> const& each) {
                    calls.push_back(each.number);
                    if (each.number == 1) of.files.inject(1, fault::cut);
                });
            } catch (error const&) {
                ++deaths;
            }
            of.files.inject(0, fault::cut);
            of.files.restart();
            wait(1_h);
        }
        outbox<charge> const box{"out", how};
        CHECK(deaths == (noted ? 3 : 6));
        CHECK(box.dead_letters().size() == (noted ? 1 : 0));
        CHECK(calls == (noted ? numbers_t{0, 1, 1, 1, 2} : numbers_t{0, 1, 1, 1, 1, 1, 1}));
        if (noted) CHECK(box.dead_letters()[0].attempts == 3);
    }
}

TEST_CASE("an outbox belongs to one", "[io][outbox]") {
    charges of{1};
    {
        outbox<charge> const one{"out", options(of.files)};
        try {
            outbox<charge> const two{"out", options(of.files)};
            FAIL("two have it");
        } catch (error const& why) {
            CHECK(why.code() == error_code::in_use);
        }
        auto other = options(of.files);
        other.name = "other";
        outbox<charge> const three{"out", other};
    }
    outbox<charge> const again{"out", options(of.files)};
    auto bad = options(of.files);
    bad.name = "a/b";
    CHECK_THROWS_AS((outbox<charge>{"out", bad}), error);
    bad = options(of.files);
    bad.waiting = 0;
    CHECK_THROWS_AS((outbox<charge>{"out", bad}), error);
}

TEST_CASE("an outbox refuses what is not its next effect", "[io][outbox]") {
    auto const code_of = [](auto&& f) {
        try {
            f();
        } catch (error const& why) {
            CHECK(!why.path().empty());
            return why.code();
        }
        return error_code::none;
    };
    auto const done = [](auto const&) {};
    {
        charges of{2};  // rows of another type
        outbox<std::int64_t> box{"out", options(of.files)};
        CHECK(code_of([&] { box.deliver(done); }) == error_code::mismatch);
    }
    {
        charges of{2};  // a file is missing
        of.add(2);
        outbox<charge> box{"out", options(of.files)};
        of.files.remove(directory_parts("out", of.files)[0].path);
        CHECK(code_of([&] { box.deliver(done); }) == error_code::mismatch);
    }
    charges whole{2};
    auto const path = directory_parts("out", whole.files)[0].path;
    auto const bytes = read_whole_file(path, whole.files).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        charges of{2};
        auto damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        of.files.open(path, open_mode::write)->write_at(0, damaged);
        outbox<charge> box{"out", options(of.files)};
        auto const code = code_of([&] { box.deliver(done); });
        INFO("byte " << i);
        bool const head = i >= 4 && i < 16;
        CHECK((code == error_code::corrupt || (head && code != error_code::none)));
    }
    for (auto const* const name : {"out/.outbox/job.out.progress", "out/.outbox/job.out.dead"}) {
        charges of{2};
        {
            outbox<charge> box{"out", options(of.files)};
            box.deliver([](effect<charge> const& each) {
                return each.number == 0 ? call_state::refused : call_state::again;
            });
        }
        auto const good = read_whole_file(name, of.files).value();
        for (std::size_t i = 0; i < good.size(); ++i) {
            auto damaged = good;
            damaged[i] = static_cast<char>(damaged[i] ^ 1);
            of.files.open(name, open_mode::write)->write_at(0, damaged);
            auto const code = code_of([&] { outbox<charge> const box{"out", options(of.files)}; });
            CHECK((code == error_code::corrupt || (i < 4 && code == error_code::unsupported)));
        }
    }
}

TEST_CASE("a job that begins anew records what it had recorded, and only what is new is called", "[io][outbox]") {
    for (bool const half : {false, true}) {  // the first file is read to its end, or not
        charges of{2};
        auto how = options(of.files);
        how.waiting = 1;
        outbox<charge> box{"out", how};
        numbers_t calls;
        auto const note = [&](effect<charge> const& each) {
            calls.push_back(each.number);
            return !half || each.number != 0 || each.attempt > 1;
        };
        box.deliver(note);
        outbox_sink<charge>{"out", {.files = &of.files}}.start_over();
        of.snapshot = 0;
        of.next = 0;
        of.add(3);
        wait(1_h);
        box.deliver(note);
        wait(1_h);
        box.deliver(note);
        CHECK(calls == (half ? numbers_t{0, 0, 1, 2} : numbers_t{0, 1, 2}));
        CHECK(directory_parts("out", of.files).empty());
    }
}

TEST_CASE("effects of a job that dies at any file operation have one id each", "[io][outbox]") {
    std::vector<std::pair<std::int64_t, std::int64_t>> input;
    for (std::int64_t i = 0; i < 23; ++i) input.emplace_back(i % 3, i);
    auto const whole = sums_of(input);
    for (auto const what : {fault::cut, fault::after}) {
        for (std::uint64_t nth = 1;; ++nth) {
            outbox_subject subject;
            std::map<std::string, std::string> told;
            auto const deliver = [&] {
                outbox<row> box{"out", options(subject.files)};
                box.deliver([&](effect<row> const& each) {
                    auto const what_now = line(each.row.key, each.row.value);
                    auto const [at, fresh] = told.emplace(std::string{each.id}, what_now);
                    if (!fresh) CHECK(at->second == what_now);
                });
            };
            bool const failed = fails_at(subject, input, 5, nth, what, end_by::loss_of_power, nth);
            subject.open();
            deliver();
            {
                small_job job{subject, input};
                job.run(6, input.size());
            }
            deliver();
            CHECK(told.size() == whole.size());
            for (std::size_t i = 0; i < whole.size(); ++i) {
                auto const& of = told["job.out." + std::to_string(i)];
                if (of != whole[i]) FAIL("operation " << nth << ", effect " << i << ": " << of);
            }
            if (!failed) break;
        }
    }
}
