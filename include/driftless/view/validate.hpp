// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VALIDATE_HPP
#define DRIFTLESS_VIEW_VALIDATE_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/any_view.hpp>
#include <driftless/view/detail/validators.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/row_set.hpp>
#include <driftless/view/tolerance.hpp>
#include <driftless/view/verdict.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// The candidate has as many rows as the current version, in each window, or nearly: relative = 0.01 lets their numbers
/// differ by 1 % of the greater.
struct counts {
    double relative = 0;
};
/// The candidate has the very rows of the current version: to find that a change of the code changes nothing.
struct same_checksum {};
/// Rows of the candidate and of the current version differ in few keys, and by little.
///
/// Sampled     The canonical hashes are cut into `strata` parts of one size. Of each the keys with the least hashes are
///             compared, `per_stratum` of them, in all their windows: the same keys on both sides and in each run.
/// passes      where no more than `most` of the rows disagree, as estimated from the strata: each counts by its rows.
struct difference {
    tolerance allowed{};
    double most = 0;               ///< 0 to 1
    std::size_t strata = 64;       ///< at least 1
    std::size_t per_stratum = 64;  ///< keys; 0: all
};
/// Nothing differs but in these windows: a row belongs to one that holds all of its window. What the fix of a day may
/// touch is that day.
struct only_changes {
    std::vector<time_window> windows;
    tolerance allowed{};
};

/// Checks that a candidate has to pass, by name, each with a verdict of its own.
///
///     validation<text, totals> checks;
///     checks.add(counts{}).add(difference{.allowed = {.relative = 0.001}})
///         .invariant("revenue >= 0", [](totals const& each) { return each.cents >= 0; })
///         .agrees_with("ledger", rows_of_the_ledger);
///     auto const found = checks.run(candidate, current);
///     if (!found) std::cerr << found.str();
///
/// Shape       Candidate and current version as row_sets (rows_of()); every check runs, in the order in which they were
///             added, whatever the others found. Checks that compare with the current version are skipped, and say so,
///             where there is none.
/// Errors      A parameter out of its range: invalid_argument, when the check is added. What a predicate throws counts
///             against its row.
/// Complexity  O(rows) each; invariants decode every row, `difference` those that it samples and that are not the same.
template <class K, class V>
class validation {
public:
    using rows = row_set<K, V>;
    /// Takes the candidate and the current version, or null.
    using check = std::function<verdict(rows const& candidate, rows const* current)>;

    /// How many rows a verdict shows at most.
    explicit validation(std::size_t samples = 5) : samples_(samples) {}

    validation& add(counts what, std::string name = "counts") {
        detail::require_share(what.relative, "counts::relative");
        return compare(std::move(name), [what, n = samples_](rows const& candidate, rows const& current) {
            return detail::check_counts(candidate, current, what.relative, n);
        });
    }
    validation& add(same_checksum, std::string name = "checksum") {
        return compare(std::move(name), [n = samples_](rows const& candidate, rows const& current) {
            return detail::check_checksum(candidate, current, n);
        });
    }
    validation& add(difference what, std::string name = "difference") {
        detail::require_share(what.most, "difference::most");
        if (what.strata == 0) throw error{error_code::invalid_argument, "difference::strata is at least 1"};
        auto const n = samples_;
        return compare(std::move(name), [what = std::move(what), n](rows const& candidate, rows const& current) {
            return detail::check_difference(
                candidate, current, what.allowed, what.most, what.strata, what.per_stratum, n);
        });
    }
    validation& add(only_changes what, std::string name = "only changes") {
        auto const n = samples_;
        return compare(std::move(name), [what = std::move(what), n](rows const& candidate, rows const& current) {
            return detail::check_only_changes(candidate, current, what.windows, what.allowed, n);
        });
    }
    /// Holds for each row: holds(value), or holds(key, window, value).
    template <class F>
    validation& invariant(std::string name, F holds) {
        static_assert(std::is_invocable_r_v<bool, F const&, V const&>
                || std::is_invocable_r_v<bool, F const&, K const&, time_window, V const&>,
            "driftless: an invariant is a predicate of the rows: give it bool(V const&), or bool(K const&, "
            "time_window, V const&)");
        return add(std::move(name), [holds = std::move(holds), n = samples_](rows const& candidate, rows const*) {
            return detail::check_invariant(candidate, holds, n);
        });
    }
    /// The candidate agrees with a source of truth: rows that something else made from the same facts.
    validation& agrees_with(std::string name, rows truth, tolerance allowed = {}) {
        auto const shared = std::make_shared<rows const>(std::move(truth));
        return add(std::move(name),
            [shared, allowed = std::move(allowed), n = samples_](rows const& candidate, rows const*) {
                return detail::check_truth(candidate, *shared, allowed, n);
            });
    }
    /// The same where the truth has other rows than the candidate: `summed_up(candidate)` makes them from it, a row_set
    /// as that of the truth.
    template <class K2, class V2, class F>
    validation& agrees_with(std::string name, row_set<K2, V2> truth, F summed_up, tolerance allowed = {}) {
        static_assert(std::is_invocable_r_v<row_set<K2, V2>, F const&, rows const&>,
            "driftless: agrees_with compares with what its function makes of the candidate: give it a function "
            "row_set<K2, V2>(row_set<K, V> const&) where the truth is a row_set<K2, V2>");
        auto const shared = std::make_shared<row_set<K2, V2> const>(std::move(truth));
        return add(std::move(name),
            [shared, summed_up = std::move(summed_up), allowed = std::move(allowed), n = samples_](
                rows const& candidate, rows const*) {
                return detail::check_truth(summed_up(candidate), *shared, allowed, n);
            });
    }
    /// Any other check; the verdict takes the name.
    validation& add(std::string name, check f) {
        checks_.push_back({std::move(name), std::move(f)});
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return checks_.size(); }

    [[nodiscard]] validation_report run(rows const& candidate, rows const& current) const {
        return run_all(candidate, &current);
    }
    /// Where there is no current version.
    [[nodiscard]] validation_report run(rows const& candidate) const { return run_all(candidate, nullptr); }

    /// The same of two views, as they are now; there may be no current one.
    template <class View>
    [[nodiscard]] validation_report run_views(View const& fresh, View const* current) const {
        auto const rows_in = [](View const& of) {
            return rows_of<K, V>([&](auto const& row) { detail::each_row<K, V>(of, row); });
        };
        return current != nullptr ? run(rows_in(fresh), rows_in(*current)) : run(rows_in(fresh));
    }
    /// The checks as a validator of a deployment: deployment.validate_with("checks", checks.as_validator()). What they
    /// found is kept in `report`, if one is given; it outlives the deployment.
    [[nodiscard]] auto as_validator(validation_report* report = nullptr) const {
        return [all = *this, report](auto const* current, auto const& fresh, auto const&) {
            auto found = all.run_views(fresh, current);
            auto const wrong = found.passed() ? std::string{} : found.summary();
            if (report != nullptr) *report = std::move(found);
            return wrong;
        };
    }

private:
    struct named {
        std::string name;
        check f;
    };
    std::size_t samples_;
    std::vector<named> checks_;

    template <class F>
    validation& compare(std::string name, F f) {
        return add(std::move(name), [f = std::move(f)](rows const& candidate, rows const* current) {
            if (current != nullptr) return f(candidate, *current);
            verdict out;
            out.result = outcome::skipped;
            out.why = "there is no current version to compare with";
            return out;
        });
    }
    validation_report run_all(rows const& candidate, rows const* current) const {
        validation_report out;
        for (auto const& each : checks_) {
            out.verdicts.push_back(each.f(candidate, current));
            out.verdicts.back().name = each.name;
        }
        return out;
    }
};
}  // namespace driftless::inline v0
#endif
