// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_VALIDATORS_HPP
#define DRIFTLESS_VIEW_DETAIL_VALIDATORS_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/reconcile.hpp>
#include <driftless/view/row_set.hpp>
#include <driftless/view/tolerance.hpp>
#include <driftless/view/verdict.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// What the checks of a validation do (view/validate.hpp).

namespace driftless::inline v0::detail {
inline void require_share(double value, char const* name) {
    if (value >= 0 && value <= 1) return;
    throw error{
        error_code::invalid_argument, std::string{name} + " is a share, from 0 to 1, not " + number_text(value)};
}
inline std::string plural(std::uint64_t n, std::string_view what) {
    return std::to_string(n) + ' ' + std::string{what} + (n == 1 ? "" : "s");
}
inline void put_number(verdict& into, char const* name, std::uint64_t value) {
    into.numbers.push_back({name, static_cast<double>(value)});
}

template <class K, class V>
verdict check_counts(row_set<K, V> const& candidate, row_set<K, V> const& current,
    double relative, std::size_t samples) {
    std::map<time_window, std::pair<std::uint64_t, std::uint64_t>> windows;
    for (std::size_t i = 0; i < candidate.size(); ++i) ++windows[candidate[i].window].first;
    for (std::size_t i = 0; i < current.size(); ++i) ++windows[current[i].window].second;
    auto const off = [&](std::uint64_t a, std::uint64_t b) {
        auto const apart = static_cast<double>(a < b ? b - a : a - b);
        return apart > relative * static_cast<double>(std::max(a, b));
    };
    verdict out;
    std::uint64_t bad = 0;
    for (auto const& [window, n] : windows) {
        if (!off(n.first, n.second)) continue;
        if (bad++ < samples) {
            out.samples.push_back({"rows", window, std::to_string(n.first), std::to_string(n.second), ""});
        }
    }
    put_number(out, "rows", candidate.size());
    put_number(out, "rows now", current.size());
    put_number(out, "windows", windows.size());
    put_number(out, "windows off", bad);
    if (bad != 0) {
        out.result = outcome::failed;
        out.why = plural(bad, "window") + " of " + std::to_string(windows.size()) + " with another number of rows";
    }
    return out;
}

template <class K, class V>
verdict check_checksum(
    row_set<K, V> const& candidate, row_set<K, V> const& current, std::size_t samples) {
    auto const a = checksum_of(candidate);
    auto const b = checksum_of(current);
    verdict out;
    put_number(out, "rows", a.rows);
    put_number(out, "rows now", b.rows);
    if (a == b) return out;
    out.result = outcome::failed;
    out.why = "the checksum is " + a.str() + " and that of the current version " + b.str();
    out.samples = reconcile(candidate, current, {.allowed = {}, .samples = samples}).samples;
    return out;
}

template <class K, class V>
verdict check_truth(row_set<K, V> const& candidate, row_set<K, V> const& truth,
    tolerance const& allowed, std::size_t samples) {
    auto found = reconcile(candidate, truth, {.allowed = allowed, .samples = samples});
    verdict out;
    put_number(out, "rows", found.rows());
    put_number(out, "equal", found.equal);
    put_number(out, "near", found.near);
    put_number(out, "different", found.different);
    put_number(out, "missing", found.only_right);
    put_number(out, "too many", found.only_left);
    put_number(out, "duplicates", found.duplicates);
    out.numbers.push_back({"greatest difference", found.greatest_difference});
    out.samples = std::move(found.samples);
    if (found.rows() == 0) {
        out.result = outcome::failed;
        out.why = "neither the candidate nor the source of truth has a row: nothing was compared";
    } else if (!found.agree()) {
        out.result = outcome::failed;
        out.why = plural(found.disagreeing(), "row") + " of " + std::to_string(found.rows()) + " disagree";
        if (found.duplicates != 0) out.why += ", " + plural(found.duplicates, "row") + " came twice";
    }
    return out;
}

template <class K, class V>
verdict check_only_changes(row_set<K, V> const& candidate, row_set<K, V> const& current,
    std::vector<time_window> const& windows, tolerance const& allowed, std::size_t samples) {
    verdict out;
    row_sampler shown{samples};
    std::uint64_t inside = 0;
    std::uint64_t outside = 0;
    double greatest = 0;
    each_pair(candidate, current, [&](set_row<K, V> const* a, set_row<K, V> const* b) {
        bool same = false;
        auto what = compare_rows(a, b, allowed, same, greatest);
        if (what.empty()) return;
        auto const at = a != nullptr ? a->window : b->window;
        bool const named = std::any_of(windows.begin(), windows.end(),
            [&](time_window const& each) { return each.start <= at.start && at.end <= each.end; });
        ++(named ? inside : outside);
        if (!named) shown.add(a, b, std::move(what));
    });
    put_number(out, "changed inside", inside);
    put_number(out, "changed outside", outside);
    out.samples = shown.take();
    if (outside != 0) {
        out.result = outcome::failed;
        out.why = plural(outside, "row") + " changed outside of the windows that were named";
    }
    return out;
}

template <class K, class V, class F>
verdict check_invariant(row_set<K, V> const& candidate, F const& holds, std::size_t samples) {
    verdict out;
    row_sampler shown{samples};
    std::uint64_t bad = 0;
    for (std::size_t i = 0; i < candidate.size(); ++i) {
        auto const row = candidate[i];
        std::string what = "does not hold";
        bool good = false;
        try {
            auto const value = row.value();
            if constexpr (std::is_invocable_r_v<bool, F const&, V const&>) good = holds(value);
            else good = holds(row.key(), row.window, value);
        } catch (std::exception const& problem) {
            what = std::string{"the predicate threw: "} + problem.what();
        }
        if (good) continue;
        ++bad;
        shown.add(&row, static_cast<set_row<K, V> const*>(nullptr), std::move(what));
    }
    put_number(out, "rows", candidate.size());
    put_number(out, "violations", bad);
    out.samples = shown.take();
    if (bad != 0) {
        out.result = outcome::failed;
        out.why = "it does not hold for " + plural(bad, "row") + " of " + std::to_string(candidate.size());
    }
    return out;
}

/// For each stratum the greatest hash that is sampled.
template <class K, class V>
std::vector<std::uint64_t> sampled_hashes(row_set<K, V> const& a, row_set<K, V> const& b,
    std::size_t per_stratum, std::size_t strata, auto const& stratum_of) {
    std::vector<std::uint64_t> limit(strata, ~std::uint64_t{0});
    if (per_stratum == 0) return limit;
    std::vector<std::uint64_t> hashes;
    for (auto const* const each : {&a, &b}) {
        for (std::size_t i = 0; i < each->size(); ++i) hashes.push_back((*each)[i].hash);
    }
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    std::vector<std::size_t> seen(strata);
    for (auto const hash : hashes) {
        auto const at = stratum_of(hash);
        if (++seen[at] == per_stratum) limit[at] = hash;
    }
    return limit;
}

template <class K, class V>
verdict check_difference(row_set<K, V> const& candidate, row_set<K, V> const& current,
    tolerance const& allowed, double most, std::size_t strata, std::size_t per_stratum, std::size_t samples) {
    // The hashes are cut at multiples of 2^64 / strata: by the upper half of a product.
    auto const stratum_of = [&](std::uint64_t hash) {
        return static_cast<std::size_t>(static_cast<std::uint64_t>((uint128{hash} * strata) >> 64));
    };
    auto const limit = sampled_hashes(candidate, current, per_stratum, strata, stratum_of);
    struct stratum {
        std::uint64_t rows = 0;
        std::uint64_t compared = 0;
        std::uint64_t bad = 0;
    };
    std::vector<stratum> all(strata);
    row_sampler shown{samples};
    std::uint64_t near = 0;
    double greatest = 0;
    each_pair(candidate, current, [&](set_row<K, V> const* a, set_row<K, V> const* b) {
        auto const hash = a != nullptr ? a->hash : b->hash;
        auto const at = stratum_of(hash);
        ++all[at].rows;
        if (hash > limit[at]) return;
        ++all[at].compared;
        bool same = false;
        auto what = compare_rows(a, b, allowed, same, greatest);
        if (what.empty()) {
            near += same ? 0 : 1;
            return;
        }
        ++all[at].bad;
        shown.add(a, b, std::move(what));
    });
    std::uint64_t rows = 0;
    std::uint64_t compared = 0;
    std::uint64_t bad = 0;
    std::uint64_t bad_strata = 0;
    double estimated = 0;
    for (auto const& each : all) {
        rows += each.rows;
        compared += each.compared;
        bad += each.bad;
        bad_strata += each.bad != 0 ? 1 : 0;
        if (each.compared == 0) continue;
        auto const of_stratum = static_cast<double>(each.bad) / static_cast<double>(each.compared);
        estimated += static_cast<double>(each.rows) * of_stratum;
    }
    auto const share = rows == 0 ? 0 : estimated / static_cast<double>(rows);
    verdict out;
    put_number(out, "rows", rows);
    put_number(out, "compared", compared);
    put_number(out, "near", near);
    put_number(out, "different", bad);
    put_number(out, "strata with differences", bad_strata);
    out.numbers.push_back({"estimated share", share});
    out.numbers.push_back({"greatest difference", greatest});
    out.samples = shown.take();
    if (share > most) {
        out.result = outcome::failed;
        out.why = plural(bad, "row") + " of " + std::to_string(compared) + " compared differ by more than is tolerated";
    }
    return out;
}
}  // namespace driftless::inline v0::detail
#endif
