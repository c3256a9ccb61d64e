// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/view.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <driftless/agg/sum.hpp>
#include <driftless/log/erasure.hpp>
#include <driftless/log/memory_log.hpp>
#include <driftless/op/aggregate.hpp>
#include <driftless/op/as_inserts.hpp>
#include <driftless/op/from.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/run/erase_state.hpp>
#include <driftless/run/job.hpp>
#include <driftless/testing/memory_files.hpp>
#include <driftless/view/view_file.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace view_erasure_test {
using namespace driftless;
struct person {
    static constexpr std::string_view subject_kind = "person";
    std::uint64_t number = 0;
    friend bool operator==(person const&, person const&) = default;
    friend auto operator<=>(person const&, person const&) = default;
};
struct best {
    person buyer;
    std::int64_t cents;
};
struct payment {
    person who;
    std::int64_t cents;
};
}  // namespace view_erasure_test
BOOST_HANA_ADAPT_STRUCT(view_erasure_test::person, number);
BOOST_HANA_ADAPT_STRUCT(view_erasure_test::best, buyer, cents);
BOOST_HANA_ADAPT_STRUCT(view_erasure_test::payment, who, cents);

namespace {
using namespace driftless;
using testing::memory_files;
using view_erasure_test::best;
using view_erasure_test::payment;
using view_erasure_test::person;
using by_person = view<person, std::int64_t>;
using by_article = view<std::int64_t, best, indexed_by<&best::cents>>;

constexpr std::uint64_t gone = 0x1122334455667788;
static_assert(purgeable<by_person>);
static_assert(purgeable<view_file_place<person, std::int64_t>>);

erased_subjects erased_one() {
    erased_subjects out{1};
    out.add(subject_id::of(person{gone}));
    return out;
}
template <class View>
void show(View& of, std::uint64_t epoch) {
    of.on_frontier({epoch, event_time::min(), event_time::min(), &epoch, 1});
}
bool holds(std::string const& bytes) { return bytes.find(encode(person{gone})) != std::string::npos; }
template <class View>
std::string saved(View& of) {
    std::string out;
    of.visit_state(driftless::detail::save_visitor{out});
    return out;
}
template <class View>
bool has_version(View const& of, std::uint64_t n) {
    try {
        return of.as_of(view_version{n}).at().version == n;
    } catch (error const& problem) {
        CHECK(problem.code() == error_code::not_there);
        return false;
    }
}
constexpr auto totals = from<payment>()
    | key_by<&payment::who>()
    | as_inserts()
    | aggregate(sum<&payment::cents>(), unbounded_state{});
}  // namespace

TEST_CASE("a view forgets the rows of an erased subject, and the versions that showed them", "[view][erasure]") {
    by_article out{{.history = {.keep = duration::max()}}};
    auto const put = [&](std::int64_t article, std::uint64_t buyer, std::int64_t cents) {
        out.write(pane<std::int64_t, best>{article, {}, {{buyer}, cents}, {}});
    };
    put(1, 5, 10);
    show(out, 1);
    put(2, gone, 20);
    show(out, 2);
    put(3, 6, 30);
    show(out, 3);
    put(2, 7, 25);  // it names somebody else now
    show(out, 4);
    put(1, 6, 11);
    show(out, 5);
    CHECK(holds(saved(out)));
    auto changes = out.subscribe();
    CHECK(changes.next()->everything);
    CHECK(out.purge(erased_one()) == 0);
    CHECK_FALSE(changes.next());  // what is shown has not changed
    for (std::uint64_t n = 1; n <= 5; ++n) CHECK(has_version(out, n) == (n > 3));
    CHECK(out.snapshot().size() == 3);
    CHECK_FALSE(holds(saved(out)));
    put(4, gone, 40);
    show(out, 6);
    CHECK(changes.next()->written.size() == 1);
    put(5, gone, 50);
    CHECK_THROWS_AS(out.purge(erased_one()), error);  // it is not shown yet
    show(out, 7);
    CHECK(out.purge(erased_one()) == 2);
    CHECK_FALSE(out.find(4));
    CHECK(out.find(4).epoch() == 7);
    CHECK(out.find(2)->buyer == person{7});
    CHECK(out.snapshot().where<&best::cents>(40).empty());
    CHECK(changes.next()->removed.size() == 1);
    CHECK_FALSE(has_version(out, 7));
    CHECK(has_version(out, 8));
    CHECK_FALSE(holds(saved(out)));
    CHECK(out.purge(erased_one()) == 0);
    CHECK(has_version(out, 8));
    put(1, 6, 12);
    show(out, 8);
    CHECK(has_version(out, 8));
    CHECK(out.kept_versions() <= 2);
}

TEST_CASE("state that is restored without erased subjects brings none back into a view", "[view][erasure][snapshot]") {
    by_person out{{.history = {.keep = duration::max()}}};
    for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
        for (auto const who : {std::uint64_t{1}, gone, std::uint64_t{2}})
            out.write(pane<person, std::int64_t>{{who}, {}, static_cast<std::int64_t>(epoch), {}});
        show(out, epoch);
    }
    auto const bytes = saved(out);
    without_erased const filter{erased_one()};
    by_person again{{.history = {.keep = duration::max()}}};
    byte_reader in{bytes};
    again.visit_state(driftless::detail::load_visitor{in});
    show(again, 3);
    CHECK(filter.removed() == 3);
    for (std::uint64_t n = 1; n <= 3; ++n) {  // history is there, without them
        auto const then = again.as_of(view_version{n});
        CHECK(then.at().version == n);
        CHECK(then.size() == 2);
        CHECK(*then.find(person{2}) == static_cast<std::int64_t>(n));
        CHECK_FALSE(then.find(person{gone}));
    }
    CHECK_FALSE(holds(saved(again)));
    // One that runs and is restored begins its history anew: what it has kept showed them.
    byte_reader same{bytes};
    out.visit_state(driftless::detail::load_visitor{same});
    show(out, 3);
    CHECK(out.snapshot().size() == 2);
    CHECK_FALSE(has_version(out, 3));
    CHECK_FALSE(holds(saved(out)));
}

TEST_CASE("an erasure reaches a job, its view, its snapshots and the published file", "[view][erasure][file]") {
    for (bool const state_first : {false, true}) {
        memory_files files;
        files.make_folder("out");
        memory_log<payment> log;
        for (std::int64_t i = 0; i < 30; ++i)
            log.append({{i % 3 == 0 ? gone : static_cast<std::uint64_t>(i % 3)}, 1});
        by_person shown{{.history = {.keep = duration::max()}}};
        stream mode{.snapshots = "state"};
        mode.snapshot_options = {.every = {}, .logic_version = "1", .files = &files};
        job running{mode, totals, log, shown};
        running.poll(10);
        running.poll(20);
        running.save_snapshot();
        publish_file(shown.snapshot(), "out", "totals", files);
        auto const on_disk = [&] {
            bool found = holds(*read_whole_file("out/totals.view", files));
            for (auto const& each : files.list("state"))
                found = found || holds(read_whole_file("state/" + each.name, files).value_or(""));
            return found;
        };
        REQUIRE(on_disk());
        auto const who = erased_one();
        job_state_place state{running, "state", files};
        view_file_place<person, std::int64_t> file{"out", "totals", files};
        if (state_first) CHECK(state.purge(who).whole);
        CHECK(shown.purge(who) == (state_first ? 0 : 1));
        if (!state_first) CHECK(state.purge(who).whole);
        CHECK(file.purge(who) == 1);
        CHECK(file.purge(who) == 0);
        CHECK_FALSE(on_disk());
        CHECK_FALSE(shown.find(person{gone}));
        CHECK(*shown.find(person{1}) == 10);
        CHECK(shown.at().epoch == 30);
        view_reader<person, std::int64_t> const other{"out", "totals", files};
        CHECK(other.size() == 2);
        CHECK(*other.find(person{2}) == 10);
        CHECK_FALSE(other.find(person{gone}));
        CHECK(other.at().epoch == 30);
        // What comes of others goes on where it was.
        log.append({{2}, 5});
        running.poll();
        CHECK(*shown.find(person{2}) == 15);
    }
}
