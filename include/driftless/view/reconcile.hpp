// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_RECONCILE_HPP
#define DRIFTLESS_VIEW_RECONCILE_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/core/time.hpp>
#include <driftless/view/detail/within.hpp>
#include <driftless/view/row_set.hpp>
#include <driftless/view/tolerance.hpp>
#include <driftless/view/verdict.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A checksum of rows that does not depend on their order: count, and the sums modulo 2^64 of two hashes of each row.
///
/// Source      XXH3-64 (Y. Collet) with two seeds; the sum of hashes as in M. Bellare, D. Micciancio, "A new paradigm
///             for collision-free hashing" (1997): here against mistakes, not against who looks for a collision.
struct rows_checksum {
    std::uint64_t rows = 0;
    std::uint64_t first = 0;
    std::uint64_t second = 0;

    friend bool operator==(rows_checksum const&, rows_checksum const&) = default;

    template <class K, class V>
    void add(set_row<K, V> const& row) {
        std::uint64_t hash[2];
        for (std::uint64_t seed = 0; seed < 2; ++seed) {
            auto const value = xxh3_64(row.encoded_value.data(), row.encoded_value.size(), seed + 1);
            std::int64_t const head[] = {row.window.start.ns(), row.window.end.ns()};
            auto const place = xxh3_64(head, sizeof head, value);
            hash[seed] = xxh3_64(row.key_bytes.data(), row.key_bytes.size(), place);
        }
        ++rows;
        first += hash[0];
        second += hash[1];
    }
    [[nodiscard]] std::string str() const {
        std::string out = std::to_string(rows) + ':';
        for (auto const n : {first, second}) {
            for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[n >> shift & 15U];
        }
        return out;
    }
};
template <class K, class V>
[[nodiscard]] rows_checksum checksum_of(row_set<K, V> const& rows) {
    rows_checksum out;
    for (std::size_t i = 0; i < rows.size(); ++i) out.add(rows[i]);
    return out;
}

namespace detail {
/// Calls f(left row or null, right row or null) for each key and window that one of them has, in their order.
template <class K, class V, class F>
void each_pair(row_set<K, V> const& left, row_set<K, V> const& right, F&& f) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < left.size() || j < right.size()) {
        auto const l = i < left.size() ? left[i] : set_row<K, V>{};
        auto const r = j < right.size() ? right[j] : set_row<K, V>{};
        bool const takes_left = i < left.size() && (j == right.size() || !r.before(l));
        bool const takes_right = j < right.size() && (i == left.size() || !l.before(r));
        f(takes_left ? &l : nullptr, takes_right ? &r : nullptr);
        i += takes_left ? 1 : 0;
        j += takes_right ? 1 : 0;
    }
}

/// Keeps the rows with the least canonical hashes: the same ones for the same rows, and of all windows.
class row_sampler {
    struct kept {
        std::uint64_t hash;
        row_pair row;
    };
    std::size_t most_;
    std::vector<kept> rows_;

public:
    explicit row_sampler(std::size_t most) : most_(most) {}

    /// Of either row there may be none, not of both.
    template <class K, class V>
    // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved into the row
    void add(set_row<K, V> const* left, set_row<K, V> const* right, std::string what) {
        auto const& any = left != nullptr ? *left : *right;
        if (most_ == 0 || (rows_.size() == most_ && rows_.back().hash <= any.hash)) return;
        row_pair row{.key = json_of<K>(any.encoded_key), .window = any.window, .what = std::move(what)};
        if (left != nullptr) row.left = json_of<V>(left->encoded_value);
        if (right != nullptr) row.right = json_of<V>(right->encoded_value);
        auto at = rows_.begin();
        while (at != rows_.end() && at->hash <= any.hash) ++at;
        rows_.insert(at, {any.hash, std::move(row)});
        if (rows_.size() > most_) rows_.pop_back();
    }
    [[nodiscard]] std::vector<row_pair> take() {
        std::vector<row_pair> out;
        out.reserve(rows_.size());
        for (auto& each : rows_) out.push_back(std::move(each.row));
        return out;
    }

private:
    template <class T>
    static std::string json_of(std::string_view encoded) {
        return encoded_to_json(parse_schema(schema_of<T>()), encoded);
    }
};

/// Compares the rows of one key and window; says what is wrong about them, nothing if nothing is.
template <class K, class V>
std::string compare_rows(set_row<K, V> const* left, set_row<K, V> const* right, tolerance const& allowed, bool& same,
    double& greatest) {
    same = false;
    if (right == nullptr) return "only in the candidate";
    if (left == nullptr) return "missing in the candidate";
    same = left->encoded_value == right->encoded_value;
    if (same) return {};
    value_comparison of{allowed};
    auto const a = left->value();
    auto const b = right->value();
    of.compare(a, b);
    same = of.same;
    greatest = std::max(greatest, of.greatest);
    return of.within ? std::string{} : of.first_bad + " differs";
}
}  // namespace detail

/// What reconcile() lets pass, and how much it shows.
struct reconcile_options {
    tolerance allowed{};
    std::size_t samples = 5;  ///< at most so many rows are shown
};

/// What reconcile() found: each (key, window) of either side is in one of `equal`, `near`, `different`, `only_left` and
/// `only_right`.
struct reconciliation {
    std::uint64_t left_rows = 0;
    std::uint64_t right_rows = 0;
    std::uint64_t equal = 0;
    std::uint64_t near = 0;       ///< not equal, within what is tolerated
    std::uint64_t different = 0;  ///< by more
    std::uint64_t only_left = 0;
    std::uint64_t only_right = 0;
    std::uint64_t duplicates = 0;  ///< rows that came twice on one side: the later one was compared
    double greatest_difference = 0;
    rows_checksum left{};
    rows_checksum right{};
    std::vector<row_pair> samples;

    [[nodiscard]] std::uint64_t rows() const noexcept { return equal + near + disagreeing(); }
    [[nodiscard]] std::uint64_t disagreeing() const noexcept { return different + only_left + only_right; }
    [[nodiscard]] bool agree() const noexcept { return disagreeing() == 0 && duplicates == 0; }
    explicit operator bool() const noexcept { return agree(); }
    /// How much of the rows disagrees: 0 to 1; the drift between both sides, as a measure.
    [[nodiscard]] double drift() const noexcept {
        return rows() == 0 ? 0 : static_cast<double>(disagreeing()) / static_cast<double>(rows());
    }
};

/// Compares two sets of rows, key by key and window by window.
///
///     auto const found = reconcile(rows_of(run(batch{}, revenue, log)), ledger, {.allowed = {.absolute = 1}});
///
/// Shape       Every row of both sides is looked at.
/// Errors      malformed, of values whose codec cannot read them back.
/// Complexity  O(rows); values are decoded only where their bytes differ.
template <class K, class V>
[[nodiscard]] reconciliation reconcile(
    row_set<K, V> const& left, row_set<K, V> const& right, reconcile_options const& options = {}) {
    reconciliation out;
    detail::row_sampler shown{options.samples};
    detail::each_pair(left, right, [&](set_row<K, V> const* a, set_row<K, V> const* b) {
        if (a != nullptr) out.left.add(*a);
        if (b != nullptr) out.right.add(*b);
        bool same = false;
        auto what = detail::compare_rows(a, b, options.allowed, same, out.greatest_difference);
        if (what.empty()) {
            ++(same ? out.equal : out.near);
            return;
        }
        ++(b == nullptr ? out.only_left : a == nullptr ? out.only_right
                                                       : out.different);
        shown.add(a, b, std::move(what));
    });
    out.left_rows = left.size();
    out.right_rows = right.size();
    out.duplicates = left.duplicates() + right.duplicates();
    out.samples = shown.take();
    return out;
}
/// The same for two ranges of panes.
template <pane_range A, pane_range B>
[[nodiscard]] reconciliation reconcile(A const& left, B const& right, reconcile_options const& options = {}) {
    return reconcile(rows_of(left), rows_of(right), options);
}
}  // namespace driftless::inline v0
#endif
