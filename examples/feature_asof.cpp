// SPDX-License-Identifier: BSL-1.0
// examples/feature_asof.cpp - features for a model as they were known at the time of each example, and not a moment
// later: what a user paid in the last 30 days and which payments were disputed so far, as a versioned table, joined as
// of the time of the example. A payment is not among its own features; a dispute counts from when it was heard of.
// expect: example 4711: 5 payments, 1611 in 30 days, 1 disputed so far
// expect: 5000 examples in batch, 5000 as a stream: those of plain loops over what was known at the time
// expect: with the newest features instead, 4692 of them would know the future
#include "support/random.hpp"

#include <driftless/driftless.hpp>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct activity {
    std::int64_t user;
    std::int64_t cents;  // paid; less than 0: so much is disputed
    dl::event_time known;  // when we heard of it
};
struct example {
    std::int64_t id, user;
    dl::event_time at;
};
struct features {
    std::int64_t payments, cents, disputed;

    friend auto operator<=>(features const&, features const&) = default;
};
struct payment {
    dl::event_time at;
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(activity, user, cents, known);
BOOST_HANA_ADAPT_STRUCT(example, id, user, at);
BOOST_HANA_ADAPT_STRUCT(features, payments, cents, disputed);
BOOST_HANA_ADAPT_STRUCT(payment, at, cents);

/// A version of the features with each thing that happens, and with each payment that is 30 days old.
struct feature_versions {
    struct state {
        dl::list_state<payment> recent;
        dl::value_state<std::int64_t> disputed;
        dl::event_timer_set forget;
    };
    void on_record(state& own, activity const& a, auto& context) const {
        if (a.cents < 0) {
            own.disputed = own.disputed.value_or(0) + 1;
        } else {
            own.recent.push_back({a.known, a.cents});
            context.set(own.forget, a.known + 30_d);
        }
        tell(own, context);
    }
    void on_timer(state& own, dl::fired_timer const& fired, auto& context) const {
        own.recent.erase_if([&](payment const& old) { return old.at + 30_d <= fired.at; });
        tell(own, context);
    }

private:
    static void tell(state& own, auto& context) {
        features now{0, 0, own.disputed.value_or(0)};
        for (auto const& each : own.recent) now = {now.payments + 1, now.cents + each.cents, now.disputed};
        context.emit(now);
    }
};
BOOST_HANA_ADAPT_STRUCT(feature_versions::state, recent, disputed, forget);

inline constexpr auto feature_table =
    dl::from<activity>("activity"_name)
    | dl::assign_time<&activity::known>(dl::bounded_disorder{1_h})
    | dl::sorted_by_time()
    | dl::key_by<&activity::user>()
    | dl::process<features>(feature_versions{}, dl::max_keys{1'000'000})
    | dl::table(dl::max_keys{1'000'000});

/// As of the moment before: what happens at the same time is not known yet, the payment that is judged least of all.
inline constexpr auto training_set = dl::join(
    dl::from<example>("examples"_name)
        | dl::assign_time([](example const& e) { return e.at - 1_ns; }, dl::bounded_disorder{1_h})
        | dl::key_by<&example::user>(),
    feature_table, dl::as_of{}, dl::left_outer{});

namespace {
using row = std::tuple<std::int64_t, features>;  // id of the example

struct history {
    std::vector<activity> activities;
    std::vector<example> examples;
};
/// Half a year of 300 users: payments, each one an example; one in twenty is disputed some weeks later.
history make_history() {
    support::random random{13};
    std::vector<std::pair<dl::event_time, activity>> sent;  // by the time of arrival
    history out;
    for (std::int64_t i = 0; i < 5000; ++i) {
        auto const user = std::min(random.below(300), random.below(300));
        auto const at = dl::event_time{} + i * 52_min;
        auto const cents = 10 + random.below(1000);
        sent.push_back({at + dl::duration{random.below((1_h).ns())}, {user, cents, at}});
        out.examples.push_back({i, user, at});
        if (!random.one_in(20)) continue;
        auto const heard = at + 14_d + dl::duration{random.below((20_d).ns())};
        sent.push_back({heard, {user, -cents, heard}});
    }
    std::sort(sent.begin(), sent.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
    for (auto const& each : sent) out.activities.push_back(each.second);
    return out;
}

/// The features of a user by plain loops over all that is known before `at`.
features known_before(history const& of, std::int64_t user, dl::event_time at) {
    features out{};
    for (auto const& a : of.activities) {
        if (a.user != user || a.known >= at) continue;
        if (a.cents < 0) ++out.disputed;
        else if (at <= a.known + 30_d) out = {out.payments + 1, out.cents + a.cents, out.disputed};
    }
    return out;
}

auto rows_into(std::vector<row>& rows) {
    return dl::to([&rows](dl::pane<std::int64_t, dl::joined<example, std::optional<features>>> const& pane) {
        rows.emplace_back(pane.value.left.id, pane.value.right.value_or(features{}));
    });
}
}  // namespace

int main() {
    auto const made = make_history();
    std::vector<row> expected;
    for (auto const& e : made.examples) expected.emplace_back(e.id, known_before(made, e.user, e.at));

    std::vector<row> batch;
    auto into_batch = rows_into(batch);
    dl::run(dl::batch{}, training_set, dl::bind("examples"_name, made.examples),
        dl::bind("activity"_name, made.activities), into_batch);

    // As it would have been at the time: both logs grow, the features a little ahead or behind.
    std::vector<row> streamed;
    auto into_stream = rows_into(streamed);
    dl::memory_log<activity> activities;
    dl::memory_log<example> examples;
    dl::job online{dl::stream{}, training_set, dl::bind("examples"_name, examples),
        dl::bind("activity"_name, activities), into_stream};
    for (std::size_t i = 0, e = 0; i < made.activities.size(); ++i) {
        activities.append(made.activities[i]);
        while (e < made.examples.size() && made.examples[e].at <= made.activities[i].known) {
            examples.append(made.examples[e++]);
        }
        if (i % 100 == 0) online.poll();
    }
    online.drain();

    for (auto* const each : {&batch, &streamed, &expected}) std::sort(each->begin(), each->end());
    auto const& [id, shown] = expected[4711];
    std::cout << "example " << id << ": " << shown.payments << " payments, " << shown.cents << " in 30 days, "
              << shown.disputed << " disputed so far\n"
              << batch.size() << " examples in batch, " << streamed.size() << " as a stream: ";
    if (batch != expected || streamed != expected) {
        std::cout << "other features than plain loops find in what was known at the time\n";
        return 1;
    }
    std::cout << "those of plain loops over what was known at the time\n";

    // What a look into the table of today would have given the model to learn from.
    std::map<std::int64_t, features> newest;
    for (auto const& each : dl::run(dl::batch{}, feature_table, made.activities)) newest[each.key] = each.value;
    std::int64_t leaks = 0;
    for (auto const& e : made.examples) {
        if (newest[e.user] != std::get<1>(expected[static_cast<std::size_t>(e.id)])) ++leaks;
    }
    std::cout << "with the newest features instead, " << leaks << " of them would know the future\n";
}
