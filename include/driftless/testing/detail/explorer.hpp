// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_DETAIL_EXPLORER_HPP
#define DRIFTLESS_TESTING_DETAIL_EXPLORER_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/place.hpp>
#include <driftless/run/batch.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/run/thread_pool.hpp>
#include <driftless/testing/detail/player.hpp>
#include <driftless/testing/detail/seeded.hpp>
#include <driftless/testing/detail/told_rows.hpp>
#include <driftless/testing/drift.hpp>
#include <driftless/testing/steps.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing::detail {
/// The steps of a script before it is built, each record with its place among those given.
template <class T>
struct planned_step {
    step<T> what;
    std::size_t given = 0;
};
template <class T>
using plan = std::vector<planned_step<T>>;

/// How the same script is played another time.
struct other_manner {
    std::size_t threads = 1;
    std::size_t chunk = 1;
};

/// A plan as a script that ends; nothing where it cannot be one.
template <class T>
std::optional<script<T>> script_of(plan<T> const& of, bool with_restores) {
    script<T> out;
    try {
        for (auto const& each : of) {
            if (with_restores || each.what.kind != step<T>::what::restore) out.add(each.what);
        }
        out.add(end_of_input{});
    } catch (error const&) {
        return std::nullopt;
    }
    return out;
}

/// Plays plans against each other and against the batch.
template <class P, class T, class... Outputs>
class drift_check {
    using what = typename step<T>::what;
    using element = typename source_element<P>::type;
    using in = output_of<P>;
    using rows = typename told_rows_for<in, typename in::record>::type;

    P const& pipeline_;
    std::tuple<Outputs&...> outputs_;
    std::vector<driftless::detail::executor_handle> pools_;  // [n]: of n threads

public:
    struct outcome {
        rows out;
        std::array<std::uint64_t, reason_count> refused{};
        std::vector<std::size_t> refused_steps;  // those at which something was refused
        [[nodiscard]] bool took_all() const { return refused_steps.empty(); }
    };
    struct finding {
        drift kind;
        std::string first;   // where the answers part
        std::string second;
    };
    std::size_t compared = 0;  // plans that were compared with the batch

    drift_check(P const& pipeline, std::size_t threads, Outputs&... outputs)
        : pipeline_(pipeline), outputs_(outputs...) {
        for (std::size_t n = 0; n <= threads; ++n) pools_.push_back(thread_count{n}.start());
    }

    /// Where two answers to this plan part; nothing if all are the same.
    std::optional<finding> operator()(plan<T> const& steps, other_manner const& other) {
        auto const plain = script_of(steps, false);
        auto const restored = script_of(steps, true);
        if (!plain || !restored) return std::nullopt;
        auto const once = play(*plain, {});
        if (auto found = compare(drift::between_two_runs, once, play(*plain, {}))) return found;
        if (auto found = compare(drift::between_manners, once, play(*restored, other))) return found;
        if (!once.took_all()) return std::nullopt;
        ++compared;
        return compare_rows(once.out, batch_of(steps, other.threads));
    }
    /// The plan without the records that were refused: what it answers can be compared with the batch.
    std::optional<plan<T>> without_refused(plan<T> steps) {
        for (int round = 0; round < 4; ++round) {
            auto const plain = script_of(steps, false);
            if (!plain) return std::nullopt;
            auto const once = play(*plain, {});
            if (once.took_all()) return steps;
            plan<T> kept;
            std::size_t at = 0;  // in the script
            for (auto const& each : steps) {
                bool const played = each.what.kind != what::restore;
                auto const& gone = once.refused_steps;
                if (!played || !std::binary_search(gone.begin(), gone.end(), at)) kept.push_back(each);
                if (played) ++at;
            }
            steps = std::move(kept);
        }
        return std::nullopt;
    }
    /// What the batch reads for a plan: in the order given, where the type says that no order can be seen.
    static plan<T> batch_order(plan<T> const& steps) {
        plan<T> out;
        for (auto const& each : steps) {
            if (each.what.kind == what::record) out.push_back(each);
        }
        if constexpr (is_order_free<P>) {
            std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.given < b.given; });
        }
        return out;
    }

private:
    outcome play(script<T> const& steps, other_manner const& how) {
        outcome did;
        std::apply(
            [&](auto&... outputs) {
                player<P, T, rows, Outputs...> run{
                    {pools_[how.threads].get(), how.chunk}, pipeline_, steps.partitions(), did.out, outputs...};
                // Asking for the books waits for threads and so takes the chunks away: only where it has to be known.
                bool const each_step = how.threads == 1 && how.chunk == 1;
                for (std::size_t at = 0; at < steps.steps().size(); ++at) {
                    bool const last = at + 1 == steps.steps().size();
                    run.play(steps.steps()[at]);
                    if ((each_step || last) && note_refusals(did, run.make_report())) did.refused_steps.push_back(at);
                }
            },
            outputs_);
        return did;
    }
    static bool note_refusals(outcome& did, report const& now) {
        bool more = false;
        for (std::size_t i = 0; i < reason_count; ++i) {
            auto const n = now.refused(static_cast<reason>(i));
            // A duplicate is left out of every answer alike.
            more = more || (n != did.refused[i] && static_cast<reason>(i) != reason::duplicate);
            did.refused[i] = n;
        }
        return more;
    }
    rows batch_of(plan<T> const& steps, std::size_t threads) {
        std::vector<element> log;
        for (auto const& each : batch_order(steps)) {
            if constexpr (is_event<element>) log.push_back(*each.what.record);
            else log.push_back(each.what.record->value);
        }
        rows out;
        batch const mode{.threads = thread_count{threads}};
        std::apply([&](auto&... outputs) { run(mode, pipeline_, log, out, outputs...); }, outputs_);
        return out;
    }
    /// To the call, and to the record that was refused.
    static std::optional<finding> compare(drift kind, outcome const& once, outcome const& other) {
        auto const& a = once.out.calls;
        auto const& b = other.out.calls;
        auto const same = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
        if (same.first != a.end() || same.second != b.end()) {
            auto const number = "row " + std::to_string(same.first - a.begin() + 1) + ": ";
            auto const text = [&](auto at, auto const& of) { return number + (at == of.end() ? "nothing" : at->text); };
            return finding{kind, text(same.first, a), text(same.second, b)};
        }
        for (std::size_t i = 0; i < reason_count; ++i) {
            if (once.refused[i] == other.refused[i]) continue;
            auto const name = " refused as " + std::string{to_string(static_cast<reason>(i))};
            return finding{kind, std::to_string(once.refused[i]) + name, std::to_string(other.refused[i]) + name};
        }
        return std::nullopt;
    }
    static std::optional<finding> compare_rows(rows const& stream, rows const& batch) {
        auto const& a = stream.rows;
        auto const& b = batch.rows;
        auto const same = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
        if (same.first == a.end() && same.second == b.end()) return std::nullopt;
        // The first place, in the order of places, that they do not agree about.
        bool const here = same.second == b.end() || (same.first != a.end() && same.first->first <= same.second->first);
        auto const& place = here ? *same.first : *same.second;
        auto const text = [&](auto const& of) {
            auto const at = of.find(place.first);
            auto out = place.second.place + " = ";
            if (at == of.end()) return place.second.place + ": no row";
            for (auto const& each : at->second.values) out += (&each == &at->second.values[0] ? "" : ", ") + each.text;
            return out;
        };
        return finding{drift::from_batch, text(a), text(b)};
    }
};
}  // namespace driftless::inline v0::testing::detail
#endif
