// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/assignment.hpp>
#include <support/catch.hpp>
#include <support/rapidcheck.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace driftless;

namespace {
using subscriptions = std::vector<group_subscription>;
using topics = std::vector<group_topic>;
using numbers = std::vector<std::uint8_t>;
constexpr assignment all_ways[] = {assignment::range, assignment::round_robin, assignment::sticky};

/// "t1-0 t1-1 t2-0", as Kafka writes it.
std::string of(partition_shares const& shares, std::string const& id) {
    std::string out;
    for (auto const& [topic, partition] : shares.at(id)) {
        out += (out.empty() ? "" : " ") + topic + "-" + std::to_string(partition);
    }
    return out;
}
std::size_t load_of(partition_shares const& shares, std::string const& id) { return shares.at(id).size(); }

/// How many of the partitions that somebody had are with somebody else.
std::size_t moves(partition_shares const& before, partition_shares const& after) {
    std::size_t kept = 0;
    std::size_t had = 0;
    for (auto const& [id, mine] : before) {
        had += mine.size();
        auto const now = after.find(id);
        if (now == after.end()) continue;
        for (auto const& each : mine) kept += std::binary_search(now->second.begin(), now->second.end(), each);
    }
    return had - kept;
}

/// Members m0, m1, ...; which of the topics t0, t1, ... each wants is in the bits of its number.
subscriptions members_wanting(numbers const& wishes, std::size_t topic_count) {
    subscriptions out;
    for (std::size_t m = 0; m < wishes.size(); ++m) {
        group_subscription one{"m" + std::to_string(m), {}, {}};
        for (std::size_t t = 0; t < topic_count; ++t) {
            if ((wishes[m] >> t & 1) != 0) one.topics.push_back("t" + std::to_string(t));
        }
        out.push_back(one);
    }
    return out;
}
topics topics_of(numbers const& sizes) {
    topics out;
    for (std::size_t t = 0; t < sizes.size(); ++t) out.push_back({"t" + std::to_string(t), sizes[t] % 9U});
    return out;
}
numbers up_to(numbers some, std::size_t count) {
    some.resize(std::min(some.size(), count));
    return some;
}

/// Every partition that somebody wants is with exactly one member, who wants it.
bool exactly_once(subscriptions const& members, topics const& all, partition_shares const& shares) {
    std::map<topic_partition, int> seen;
    for (auto const& member : members) {
        auto const& mine = shares.at(member.id);
        if (!std::is_sorted(mine.begin(), mine.end())) return false;
        for (auto const& each : mine) {
            ++seen[each];
            if (std::find(member.topics.begin(), member.topics.end(), each.topic) == member.topics.end()) return false;
        }
    }
    for (auto const& topic : all) {
        bool const wanted = std::any_of(members.begin(), members.end(), [&](group_subscription const& one) {
            return std::find(one.topics.begin(), one.topics.end(), topic.name) != one.topics.end();
        });
        for (std::uint32_t p = 0; p < topic.partitions; ++p) {
            auto const found = seen.find({topic.name, p});
            if ((found == seen.end() ? 0 : found->second) != (wanted ? 1 : 0)) return false;
        }
    }
    return shares.size() == members.size();
}

/// The least sum of squared loads: by trying every sharing.
std::size_t most_even(subscriptions const& members, std::vector<topic_partition> const& partitions, std::size_t at,
    std::vector<std::size_t>& loads) {
    if (at == partitions.size()) {
        std::size_t sum = 0;
        for (auto const load : loads) sum += load * load;
        return sum;
    }
    auto best = ~std::size_t{0};
    for (std::size_t m = 0; m < members.size(); ++m) {
        auto const& wanted = members[m].topics;
        if (std::find(wanted.begin(), wanted.end(), partitions[at].topic) == wanted.end()) continue;
        ++loads[m];
        best = std::min(best, most_even(members, partitions, at + 1, loads));
        --loads[m];
    }
    return best == ~std::size_t{0} ? most_even(members, partitions, at + 1, loads) : best;
}
}  // namespace

TEST_CASE("members, instances and topics that are not told apart are refused", "[log][assignment]") {
    for (auto const how : all_ways) {
        auto const code_of = [how](subscriptions const& members, topics const& all) {
            try {
                assign_partitions(how, members, all);
            } catch (error const& problem) {
                return problem.code();
            }
            return error_code::none;
        };
        CHECK(code_of({{"", "", {}}}, {}) == error_code::invalid_argument);
        CHECK(code_of({{"a", "", {}}, {"b", "", {}}, {"a", "", {}}}, {}) == error_code::invalid_argument);
        CHECK(code_of({{"a", "", {}}, {"b", "", {}}, {"a", "i", {}}}, {}) == error_code::invalid_argument);
        CHECK(code_of({{"a", "i", {}}, {"b", "i", {}}}, {}) == error_code::invalid_argument);
        CHECK(code_of({}, {{"t", 1}, {"t", 2}}) == error_code::invalid_argument);
        CHECK(code_of({{"a", "", {"no such topic", "t", "t"}}}, {{"t", 1}}) == error_code::none);
    }
}

TEST_CASE("nobody, and nothing to share, are no errors", "[log][assignment]") {
    for (auto const how : all_ways) {
        CHECK(assign_partitions(how, {}, {{"t", 3}}).empty());
        auto const shares = assign_partitions(how, {{"a", "", {"t", "u"}}, {"b", "", {}}}, {{"t", 0}, {"v", 2}});
        CHECK(of(shares, "a").empty());
        CHECK(of(shares, "b").empty());
        auto const twice = assign_partitions(how, {{"a", "", {"t", "t"}}, {"b", "", {"t"}}}, {{"t", 2}});
        CHECK(of(twice, "a") == "t-0");
        CHECK(of(twice, "b") == "t-1");
    }
}

TEST_CASE("range shares topic by topic, the first members take the rest (L-11)", "[log][assignment]") {
    auto const a = assign_partitions(assignment::range,
        {{"c1", "", {"t1"}}, {"c2", "", {"t1", "t2"}}, {"c3", "", {"t1"}}}, {{"t1", 3}, {"t2", 2}});
    CHECK(of(a, "c1") == "t1-0");
    CHECK(of(a, "c2") == "t1-1 t2-0 t2-1");
    CHECK(of(a, "c3") == "t1-2");
    auto const b = assign_partitions(
        assignment::range, {{"c1", "", {"t1", "t2"}}, {"c2", "", {"t1", "t2"}}}, {{"t1", 3}, {"t2", 3}});
    CHECK(of(b, "c1") == "t1-0 t1-1 t2-0 t2-1");
    CHECK(of(b, "c2") == "t1-2 t2-2");
    auto const c = assign_partitions(assignment::range, {{"c1", "", {"t"}}, {"c2", "", {"t"}}}, {{"t", 1}});
    CHECK(of(c, "c1") == "t-0");
    CHECK(of(c, "c2").empty());
}

TEST_CASE("round robin deals partitions out in turn, by instance where there is one (L-12)", "[log][assignment]") {
    auto const a = assign_partitions(assignment::round_robin,
        {{"c1", "", {"t1"}}, {"c2", "", {"t1", "t2"}}, {"c3", "", {"t1"}}}, {{"t1", 3}, {"t2", 2}});
    CHECK(of(a, "c1") == "t1-0");
    CHECK(of(a, "c2") == "t1-1 t2-0 t2-1");
    CHECK(of(a, "c3") == "t1-2");
    auto const b = assign_partitions(
        assignment::round_robin, {{"c1", "", {"t1", "t2"}}, {"c2", "", {"t1", "t2"}}}, {{"t1", 3}, {"t2", 3}});
    CHECK(of(b, "c1") == "t1-0 t1-2 t2-1");
    CHECK(of(b, "c2") == "t1-1 t2-0 t2-2");
    std::vector<std::string> const both{"t1", "t2"};
    topics const five_each{{"t1", 5}, {"t2", 5}};
    auto const c = assign_partitions(
        assignment::round_robin, {{"c1", "i1", both}, {"c2", "i2", both}, {"c3", "i3", both}}, five_each);
    CHECK(of(c, "c1") == "t1-0 t1-3 t2-1 t2-4");
    CHECK(of(c, "c2") == "t1-1 t1-4 t2-2");
    CHECK(of(c, "c3") == "t1-2 t2-0 t2-3");
    auto const after = assign_partitions(
        assignment::round_robin, {{"z", "i1", both}, {"y", "i2", both}, {"x", "i3", both}}, five_each);
    CHECK(of(after, "z") == of(c, "c1"));
    CHECK(of(after, "y") == of(c, "c2"));
    CHECK(of(after, "x") == of(c, "c3"));
}

TEST_CASE("sticky moves one partition to who joins, and all from who leaves (L-13)", "[log][assignment]") {
    topics const three{{"t", 3}};
    auto const alone = assign_partitions(assignment::sticky, {{"c1", "", {"t"}}}, three);
    CHECK(of(alone, "c1") == "t-0 t-1 t-2");
    auto const both = assign_partitions(assignment::sticky, {{"c1", "", {"t"}}, {"c2", "", {"t"}}}, three, alone);
    CHECK(of(both, "c1") == "t-0 t-1");
    CHECK(of(both, "c2") == "t-2");
    auto const left = assign_partitions(assignment::sticky, {{"c2", "", {"t"}}}, three, both);
    CHECK(of(left, "c2") == "t-0 t-1 t-2");
}

TEST_CASE("sticky forgets what is not there any more, and what two claim the first keeps", "[log][assignment]") {
    partition_shares const before{{"a", {{"gone", 0}, {"t", 1}, {"t", 7}}}, {"b", {{"t", 1}, {"u", 0}}}};
    auto const shares = assign_partitions(
        assignment::sticky, {{"a", "", {"t"}}, {"b", "", {"t"}}}, {{"t", 2}, {"u", 1}}, before);
    CHECK(of(shares, "a") == "t-1");
    CHECK(of(shares, "b") == "t-0");
}

TEST_CASE("sticky evens out over a third member where no single move does", "[log][assignment]") {
    // a can give to b only, b to c only.
    partition_shares const before{{"a", {{"t", 0}, {"t", 1}}}, {"b", {{"u", 0}}}};
    auto const shares = assign_partitions(assignment::sticky,
        {{"a", "", {"t"}}, {"b", "", {"t", "u"}}, {"c", "", {"u"}}}, {{"t", 2}, {"u", 1}}, before);
    CHECK(of(shares, "a") == "t-0");
    CHECK(of(shares, "b") == "t-1");
    CHECK(of(shares, "c") == "u-0");
}

TEST_CASE("whatever members want, each partition goes to exactly one of them", "[log][assignment]") {
    property("exactly once, in whatever order members and topics come",
        [](numbers const& wishes, numbers sizes, numbers const& had) {
            sizes = up_to(sizes, 8);
            auto members = members_wanting(up_to(wishes, 12), sizes.size());
            for (std::size_t m = 0; m < members.size(); m += 3) members[m].instance = "i" + std::to_string(97 * m % 11);
            auto all = topics_of(sizes);
            auto const before = assign_partitions(
                assignment::sticky, members_wanting(up_to(had, 14), sizes.size()), all);
            for (auto const how : all_ways) {
                auto const shares = assign_partitions(how, members, all, before);
                RC_ASSERT(exactly_once(members, all, shares));
                auto mixed = members;
                std::reverse(mixed.begin(), mixed.end());
                std::rotate(mixed.begin(), mixed.begin() + static_cast<std::ptrdiff_t>(mixed.size() / 3), mixed.end());
                auto mixed_topics = all;
                std::reverse(mixed_topics.begin(), mixed_topics.end());
                RC_ASSERT(assign_partitions(how, mixed, mixed_topics, before) == shares);
            }
        });
}

TEST_CASE("range is even within a topic, round robin and sticky over all of them", "[log][assignment]") {
    property("who wants the same has at most one more", [](std::uint8_t count, numbers sizes) {
        sizes = up_to(sizes, 8);
        auto const members = members_wanting(numbers(count % 12U + 1, 255), sizes.size());
        auto const all = topics_of(sizes);
        for (auto const how : all_ways) {
            auto const shares = assign_partitions(how, members, all);
            std::set<std::size_t> loads;
            for (auto const& each : members) loads.insert(load_of(shares, each.id));
            if (how != assignment::range) RC_ASSERT(*loads.rbegin() - *loads.begin() <= 1U);
            else RC_ASSERT(*loads.rbegin() - *loads.begin() <= all.size());
        }
    });
}

TEST_CASE("sticky is as even as any sharing, and moves what it must and no more", "[log][assignment]") {
    property("no sharing is more even", [](numbers const& wishes, numbers const& had) {
        auto const members = members_wanting(up_to(wishes, 4), 4);
        topics const all{{"t0", 1}, {"t1", 2}, {"t2", 1}, {"t3", 3}};
        auto const before = assign_partitions(assignment::range, members_wanting(up_to(had, 5), 4), all);
        auto const shares = assign_partitions(assignment::sticky, members, all, before);
        std::size_t squares = 0;
        for (auto const& each : members) squares += load_of(shares, each.id) * load_of(shares, each.id);
        std::vector<topic_partition> partitions;
        for (auto const& topic : all) {
            for (std::uint32_t p = 0; p < topic.partitions; ++p) partitions.push_back({topic.name, p});
        }
        std::vector<std::size_t> loads(members.size(), 0);
        RC_ASSERT(squares == most_even(members, partitions, 0, loads));
        RC_ASSERT(moves(shares, assign_partitions(assignment::sticky, members, all, shares)) == 0U);
    });
    property("as few moves as possible", [](numbers owners, std::uint8_t count) {
        std::size_t const n = count % 9U + 1;
        owners = up_to(owners, 60);
        partition_shares before;  // owner 9 to 11: has left; 12: nobody
        for (std::uint32_t p = 0; p < owners.size(); ++p) {
            if (owners[p] % 13 != 12) before["m" + std::to_string(owners[p] % 13)].push_back({"t0", p});
        }
        auto const members = members_wanting(numbers(n, 1), 1);
        auto const after = assign_partitions(
            assignment::sticky, members, {{"t0", static_cast<std::uint32_t>(owners.size())}}, before);
        // Those who have most are to have one more than the others: what is above must go, and what was the leavers'.
        std::vector<std::size_t> had;
        std::size_t fewest = 0;
        for (auto const& [id, mine] : before) fewest += mine.size();
        for (auto const& each : members) had.push_back(before[each.id].size());
        std::sort(had.rbegin(), had.rend());
        for (std::size_t m = 0; m < n; ++m) fewest -= std::min(had[m], owners.size() / n + (m < owners.size() % n));
        RC_ASSERT(moves(before, after) == fewest);
    });
}
