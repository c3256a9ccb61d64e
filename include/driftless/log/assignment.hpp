// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_LOG_ASSIGNMENT_HPP
#define DRIFTLESS_LOG_ASSIGNMENT_HPP

#include <driftless/core/error.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How the members of a group share partitions.
enum class assignment : std::uint8_t {
    range = 0,        ///< topic by topic, neighbours together; the first members take one more
    round_robin = 1,  ///< all partitions of all topics in order, dealt out in turn
    sticky = 2,       ///< as even as can be, and what a member has stays with it as far as that allows
};

/// The name of a way to share as it appears in messages.
constexpr char const* to_string(assignment how) noexcept {
    constexpr char const* names[] = {"range", "round robin", "sticky"};
    return names[static_cast<std::size_t>(how)];
}

/// A topic of which partitions are shared: partitions 0 to `partitions` - 1.
struct group_topic {
    std::string name;
    std::uint32_t partitions = 1;
};

/// Who takes part. A member that is to keep its place when it comes back under another id has an instance.
struct group_subscription {
    std::string id;
    std::string instance;
    std::vector<std::string> topics;
};

/// A partition of one of several logs that a group reads.
struct topic_partition {
    std::string topic;
    std::uint32_t partition = 0;
    friend auto operator<=>(topic_partition const&, topic_partition const&) = default;
};

/// The partitions of each member, by its id, in order of topic and number.
using partition_shares = std::map<std::string, std::vector<topic_partition>, std::less<>>;

namespace detail {
/// What is shared, by number: topics in order of their names, members in the order in which they come to their turn.
class partition_sharing {
    std::vector<group_subscription> members_;
    std::vector<group_topic> topics_;
    std::vector<std::vector<std::size_t>> wanting_;             // by topic: members, in order
    std::vector<std::vector<std::vector<std::uint32_t>>> has_;  // by member and topic: partitions, in order
    std::vector<std::size_t> load_;                             // by member

public:
    partition_sharing(std::vector<group_subscription> members, std::vector<group_topic> topics)
        : members_(std::move(members)), topics_(std::move(topics)), wanting_(topics_.size()) {
        std::sort(members_.begin(), members_.end(), comes_before);
        std::sort(topics_.begin(), topics_.end(),
            [](group_topic const& a, group_topic const& b) { return a.name < b.name; });
        require_distinct();
        for (std::size_t m = 0; m < members_.size(); ++m) {
            for (auto const& name : members_[m].topics) {
                auto const t = topic_named(name);
                if (t < topics_.size() && (wanting_[t].empty() || wanting_[t].back() != m)) wanting_[t].push_back(m);
            }
        }
        has_.assign(members_.size(), std::vector<std::vector<std::uint32_t>>(topics_.size()));
        load_.assign(members_.size(), 0);
    }

    void range() {
        for (std::size_t t = 0; t < topics_.size(); ++t) {
            if (wanting_[t].empty()) continue;
            auto const each = topics_[t].partitions / wanting_[t].size();
            auto const more = topics_[t].partitions % wanting_[t].size();
            std::uint32_t next = 0;
            for (std::size_t i = 0; i < wanting_[t].size(); ++i) {
                for (auto n = each + (i < more ? 1 : 0); n > 0; --n) give(wanting_[t][i], t, next++);
            }
        }
    }
    void round_robin() {
        std::size_t turn = 0;
        for (std::size_t t = 0; t < topics_.size(); ++t) {
            if (wanting_[t].empty()) continue;
            for (std::uint32_t p = 0; p < topics_[t].partitions; ++p) {
                while (!wants(turn, t)) turn = (turn + 1) % members_.size();
                give(turn, t, p);
                turn = (turn + 1) % members_.size();
            }
        }
    }
    void sticky(partition_shares const& before) {
        auto free = keep(before);
        for (std::size_t t = 0; t < topics_.size(); ++t) {
            if (wanting_[t].empty()) continue;
            for (auto const p : free[t]) give(least_loaded(wanting_[t]), t, p);
        }
        while (even_out()) {
        }
    }
    [[nodiscard]] partition_shares result() const {
        partition_shares out;
        for (std::size_t m = 0; m < members_.size(); ++m) {
            auto& mine = out[members_[m].id];
            for (std::size_t t = 0; t < topics_.size(); ++t) {
                for (auto const p : has_[m][t]) mine.push_back({topics_[t].name, p});
            }
        }
        return out;
    }

private:
    /// Those with an instance come first, by it, so that a new id changes nothing.
    static bool comes_before(group_subscription const& a, group_subscription const& b) {
        if (a.instance.empty() != b.instance.empty()) return b.instance.empty();
        return a.instance.empty() ? a.id < b.id : a.instance < b.instance;
    }
    void require_distinct() const {
        std::vector<std::string> ids;
        for (std::size_t m = 0; m < members_.size(); ++m) {
            if (members_[m].id.empty()) throw error{error_code::invalid_argument, "a member of a group needs an id"};
            if (m > 0 && !members_[m].instance.empty() && members_[m].instance == members_[m - 1].instance) {
                throw error{error_code::invalid_argument,
                    "two members have the instance `" + members_[m].instance + "`: give each its own"};
            }
            ids.push_back(members_[m].id);
        }
        std::sort(ids.begin(), ids.end());
        auto const twice = std::adjacent_find(ids.begin(), ids.end());
        if (twice != ids.end()) {
            throw error{error_code::invalid_argument, "two members have the id `" + *twice + "`: give each its own"};
        }
        for (std::size_t t = 1; t < topics_.size(); ++t) {
            if (topics_[t].name != topics_[t - 1].name) continue;
            throw error{error_code::invalid_argument, "the topic `" + topics_[t].name + "` is there twice"};
        }
    }
    [[nodiscard]] std::size_t topic_named(std::string const& name) const {
        auto const at = std::lower_bound(topics_.begin(), topics_.end(), name,
            [](group_topic const& one, std::string const& sought) { return one.name < sought; });
        auto const found = at != topics_.end() && at->name == name ? at : topics_.end();
        return static_cast<std::size_t>(found - topics_.begin());
    }
    [[nodiscard]] bool wants(std::size_t member, std::size_t topic) const {
        return std::binary_search(wanting_[topic].begin(), wanting_[topic].end(), member);
    }
    void give(std::size_t member, std::size_t topic, std::uint32_t partition) {
        auto& into = has_[member][topic];
        into.insert(std::lower_bound(into.begin(), into.end(), partition), partition);
        ++load_[member];
    }
    [[nodiscard]] std::size_t least_loaded(std::vector<std::size_t> const& among) const {
        return *std::min_element(among.begin(), among.end(),
            [this](std::size_t a, std::size_t b) { return load_[a] < load_[b]; });
    }

    /// Gives members what they had and still want; returns what is left, by topic.
    std::vector<std::vector<std::uint32_t>> keep(partition_shares const& before) {
        std::vector<std::vector<bool>> taken;
        taken.reserve(topics_.size());
        for (auto const& topic : topics_) taken.emplace_back(topic.partitions, false);
        for (std::size_t m = 0; m < members_.size(); ++m) {
            auto const mine = before.find(members_[m].id);
            if (mine == before.end()) continue;
            for (auto const& [name, p] : mine->second) {
                auto const t = topic_named(name);
                if (t == topics_.size() || p >= topics_[t].partitions || taken[t][p] || !wants(m, t)) continue;
                taken[t][p] = true;
                give(m, t, p);
            }
        }
        std::vector<std::vector<std::uint32_t>> free(topics_.size());
        for (std::size_t t = 0; t < topics_.size(); ++t) {
            for (std::uint32_t p = 0; p < topics_[t].partitions; ++p) {
                if (!taken[t][p]) free[t].push_back(p);
            }
        }
        return free;
    }

    /// Moves one partition from a member to one that has at least two fewer, where need be over others between them;
    /// false if that is not possible: then no other sharing is more even.
    bool even_out() {
        if (members_.empty()) return false;
        auto const least = *std::min_element(load_.begin(), load_.end());
        std::vector<std::size_t> order;
        for (auto m = members_.size(); m-- > 0;) {
            if (load_[m] >= least + 2) order.push_back(m);
        }
        std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
            return load_[a] != load_[b] ? load_[a] > load_[b] : a > b;
        });
        return std::any_of(order.begin(), order.end(), [this](std::size_t m) { return unburden(m); });
    }
    bool unburden(std::size_t from) {
        constexpr auto none = ~std::size_t{0};
        struct step {
            std::size_t before = none;  // the member that gives
            std::size_t topic = none;   // a partition of this topic
        };
        std::vector<step> steps(members_.size());
        std::vector<bool> topic_seen(topics_.size(), false);
        std::vector<std::size_t> reached{from};
        auto to = none;
        for (std::size_t begin = 0; begin < reached.size() && to == none;) {  // by the number of moves
            auto const end = reached.size();
            for (; begin < end; ++begin) {
                auto const giver = reached[begin];
                for (std::size_t t = 0; t < topics_.size(); ++t) {
                    if (topic_seen[t] || has_[giver][t].empty()) continue;
                    topic_seen[t] = true;
                    for (auto const taker : wanting_[t]) {
                        if (taker == from || steps[taker].before != none) continue;
                        steps[taker] = {giver, t};
                        reached.push_back(taker);
                        bool const lighter = load_[taker] + 2 <= load_[from];
                        if (lighter && (to == none || load_[taker] < load_[to])) to = taker;
                    }
                }
            }
        }
        if (to == none) return false;
        while (to != from) {
            auto const [giver, t] = steps[to];
            auto const last = has_[giver][t].back();
            has_[giver][t].pop_back();
            --load_[giver];
            give(to, t, last);
            to = giver;
        }
        return true;
    }
};
}  // namespace detail

/// Shares the partitions of topics among members: each goes to exactly one member that wants its topic.
///
/// Shape       A pure function: the same answer whatever the order of members and topics. Members come to their turn
///             by instance, those without one behind them by id. A partition whose topic nobody wants goes to nobody;
///             a topic that does not exist is no error. `before` is what they had: sticky alone looks at it; what two
///             claim the first keeps.
/// Errors      invalid_argument: an empty id; an id, an instance or a topic that is there twice.
/// Complexity  O(partitions) for range and round robin. Sticky: for each partition that moves O(members + wishes).
/// Source      range, round robin: the assignors of Apache Kafka. sticky: cost-reducing paths of Harvey, Ladner,
///             Lovasz, Tamir, "Semi-matchings for bipartite graphs and load balancing" (2003), the most loaded member
///             first, over as few members as possible: the most even sharing there is; where all want the same topics,
///             with as few moves as it takes.
inline partition_shares assign_partitions(assignment how, std::vector<group_subscription> members,
    std::vector<group_topic> topics, partition_shares const& before = {}) {
    detail::partition_sharing sharing{std::move(members), std::move(topics)};
    switch (how) {
        case assignment::range: sharing.range(); break;
        case assignment::round_robin: sharing.round_robin(); break;
        case assignment::sticky: sharing.sticky(before); break;
    }
    return sharing.result();
}
}  // namespace driftless::inline v0
#endif
