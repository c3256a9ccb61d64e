// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_TOP_ROWS_HPP
#define DRIFTLESS_OP_DETAIL_TOP_ROWS_HPP

#include <driftless/agg/detail/kept_value.hpp>
#include <driftless/agg/detail/sorted_bag.hpp>
#include <driftless/agg/function.hpp>
#include <driftless/agg/min_max.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/core/config.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/projection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// The rows of a group that rank first, as aggregate functions: what top() is made of. Their result is the list of
// rows, best first.

namespace driftless::inline v0::detail {

/// By what rows are ranked: a function of the row or, where an aggregate made the row, of its value.
template <class Projection>
struct measure_of {
    [[no_unique_address]] Projection of;

    template <class R>
    static constexpr bool of_whole = projects<Projection, R>;
    template <class R>
    static constexpr bool of_value = [] {
        if constexpr (is_pane<R>) return projects<Projection, decltype(R::value)>;
        else return false;
    }();
    template <class R>
        requires of_whole<R> || of_value<R>
    DRIFTLESS_INLINE constexpr decltype(auto) operator()(R const& row) const {
        if constexpr (of_whole<R>) return of(row);
        else return of(row.value);
    }
};
/// The row itself, or the value of the row of an aggregate.
struct measure_itself {
    template <class R>
    DRIFTLESS_INLINE constexpr decltype(auto) operator()(R const& row) const noexcept {
        if constexpr (is_pane<R>) return (row.value);
        else return (row);
    }
};

/// How rows of type R are told apart that rank alike. Rows of an aggregate: by their key. Rows that may be taken back:
/// by what is in them, since nothing else of them comes back. Other records: the earlier one in the log is first.
template <class R, bool Retracts>
inline constexpr bool ties_in_log_order = !is_pane<R> && !Retracts;

/// Bytes whose order breaks a tie between rows of an aggregate: those of their keys.
template <class R>
void put_tie_of_key(std::string& into, R const& row) {
    append_key_sink<std::string> sink{into};
    put_key(sink, row.key);
}
/// Bytes whose order breaks a tie, and that are equal for equal rows alone. Which pane of its window a row is does not
/// count: a correction says it of both its sides.
template <class R>
void put_tie(std::string& into, R const& row) {
    append_key_sink<std::string> sink{into};
    if constexpr (is_pane<R>) {
        put_key(sink, row.key);
        byte_writer{into}.write(row.window).write(row.value);
    } else {
        if constexpr (canonical_key<R>) put_key(sink, row);
        byte_writer{into}.write(row);
    }
}

template <class M, extreme Best>
DRIFTLESS_INLINE constexpr bool ranks_before(M const& a, M const& b) {
    return beats<Best, M>(a, b);
}

/// The best n rows of those that came, the best first; with ties, all that rank among the first n.
///
/// State       n rows, and as many as tie with the last of them. Equal states have equal encodings.
/// Complexity  A comparison for a row that does not make it; O(n) small moves for one that does.
template <class R, class M, extreme Best, bool WithTies>
class best_rows {
    static constexpr bool log_order = ties_in_log_order<R, false>;
    struct no_tie {};
    struct entry {
        kept_t<M> measure{};
        [[no_unique_address]] std::conditional_t<log_order, no_tie, std::string> tie{};
        std::uint32_t row = 0;
    };
    std::vector<entry> order_;
    std::vector<kept_value<R>> rows_;
    struct no_spares {};
    [[no_unique_address]] std::conditional_t<WithTies, std::vector<std::uint32_t>, no_spares> spare_;

public:
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

    /// A row with this measure would be among the best, or replace one of them.
    [[nodiscard]] DRIFTLESS_INLINE bool admits(M const& measure, std::size_t n) const {
        return order_.size() < n || !before(seen<M>(order_.back().measure), measure);
    }
    DRIFTLESS_INLINE void offer(M const& measure, R const& row, std::size_t n) {
        if (!admits(measure, n)) [[likely]]
            return;
        put(measure, row, n);
    }
    void add_all(best_rows const& later, std::size_t n) {
        for (entry const& each : later.order_) offer(seen<M>(each.measure), later.rows_[each.row].get(), n);
    }
    [[nodiscard]] std::vector<R> list(std::size_t) const {
        std::vector<R> out;
        out.reserve(order_.size());
        for (entry const& each : order_) out.push_back(rows_[each.row].get());
        return out;
    }

    void save(auto& out) const {
        out.write(static_cast<std::uint64_t>(order_.size()));
        for (entry const& each : order_) {
            out.write(each.measure);
            if constexpr (!log_order) out.write(each.tie);
            rows_[each.row].save(out);
        }
    }
    void load(auto& in) {
        *this = best_rows{};
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            entry& fresh = order_.emplace_back();
            in.read(fresh.measure);
            if constexpr (!log_order) in.read(fresh.tie);
            fresh.row = static_cast<std::uint32_t>(rows_.size());
            rows_.emplace_back().load(in);
        }
    }

private:
    static constexpr bool before(M const& a, M const& b) { return ranks_before<M, Best>(a, b); }

    DRIFTLESS_NOINLINE void put(M const& measure, R const& row, std::size_t n) {
        entry fresh;
        if constexpr (!log_order) put_tie_of_key(fresh.tie, row);
        std::size_t at = order_.size();
        for (; at != 0 && goes_before(measure, row, fresh, order_[at - 1]); --at) {}
        if (!WithTies && at == n) return;  // it ties with the last one, and comes behind it
        if constexpr (!WithTies) {
            if (order_.size() == n) {  // its row, and the memory that it has, once more
                fresh.row = order_.back().row;
                set(fresh, measure, row);
                for (std::size_t i = n - 1; i != at; --i) order_[i] = std::move(order_[i - 1]);
                order_[at] = std::move(fresh);
                return;
            }
        }
        if (order_.empty()) {
            order_.reserve(n < 16 ? n : 16);
            rows_.reserve(n < 16 ? n : 16);
        }
        take_place(fresh);
        set(fresh, measure, row);
        order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(at), std::move(fresh));
        if constexpr (WithTies) drop_ties(n);
    }
    void take_place(entry& fresh) {
        if constexpr (WithTies) {
            if (!spare_.empty()) {
                fresh.row = spare_.back();
                spare_.pop_back();
                return;
            }
        }
        fresh.row = static_cast<std::uint32_t>(rows_.size());
        rows_.emplace_back();
    }
    void set(entry& fresh, M const& measure, R const& row) {
        if constexpr (std::is_same_v<M, kept_t<M>>) fresh.measure = measure;
        else fresh.measure = to_owned(measure);
        rows_[fresh.row].set(row);
    }
    [[nodiscard]] bool goes_before(M const& measure, [[maybe_unused]] R const& row,
        [[maybe_unused]] entry const& fresh, entry const& other) const {
        if (before(measure, seen<M>(other.measure))) return true;
        if constexpr (log_order) {
            return false;
        } else {
            if (before(seen<M>(other.measure), measure)) return false;
            if (fresh.tie != other.tie) return fresh.tie < other.tie;
            std::string mine;  // two rows of one key: of several windows that were put together
            std::string theirs;
            put_tie(mine, row);
            put_tie(theirs, rows_[other.row].get());
            return mine < theirs;
        }
    }
    /// The last ones go if n others rank before them.
    void drop_ties(std::size_t n) {
        if (order_.size() <= n) return;
        std::size_t left = order_.size() - 1;
        while (left != 0 && !before(seen<M>(order_[left - 1].measure), seen<M>(order_.back().measure))) --left;
        if (left < n) return;
        while (order_.size() != left) {
            spare_.push_back(order_.back().row);
            order_.pop_back();
        }
    }
};

/// All rows of a group, in the order in which they rank: any of them may be taken back.
///
/// State       Every row that is there, encoded. Equal states have equal encodings.
/// Complexity  O(log rows) comparisons per row. The two lists that differ by a few rows: O(rows between the first and
///             the last of those), among the best n.
template <class R, class M, extreme Best, bool WithTies>
class all_rows {
    struct entry {
        kept_t<M> measure{};
        std::string tie{};
        std::string bytes{};
    };
    struct order {
        bool operator()(entry const& a, entry const& b) const noexcept {
            if (before(a.measure, b.measure)) return true;
            return !before(b.measure, a.measure) && a.tie < b.tie;
        }
    };
    sorted_bag<entry, order> rows_;

public:
    /// What has happened to the rows since it watches.
    class difference {
        struct step {
            entry what;
            bool comes;
        };
        std::vector<step> steps_;

    public:
        using owns_its_text = void;
        bool emptied = false;  ///< the group went meanwhile; what came later is not in here

        /// Rows that were there and are not, and those that are new, both in order.
        struct net {
            std::vector<entry const*> gone;
            std::vector<entry const*> come;
        };
        void insert(entry const& each) { steps_.push_back({each, true}); }
        void erase(entry const& each) { steps_.push_back({each, false}); }

        [[nodiscard]] net sum() const {
            std::vector<step const*> all;
            all.reserve(steps_.size());
            for (step const& each : steps_) all.push_back(&each);
            std::sort(all.begin(), all.end(), [](step const* a, step const* b) {
                if (order{}(a->what, b->what)) return true;
                return !order{}(b->what, a->what) && a < b;  // in the order in which they happened
            });
            net out;
            for (auto i = all.begin(); i != all.end();) {
                auto end = i;
                std::ptrdiff_t more = 0;
                for (; end != all.end() && !order{}((*i)->what, (*end)->what); ++end) more += (*end)->comes ? 1 : -1;
                for (auto each = i; each != end && more < 0; ++each) {  // the first that went
                    if (!(*each)->comes) out.gone.push_back(&(*each)->what), ++more;
                }
                for (auto each = end; each != i && more > 0;) {  // the last that came
                    if ((*--each)->comes) out.come.push_back(&(*each)->what), --more;
                }
                i = end;
            }
            return out;
        }
    };
    /// From now on that hears of rows; null: nobody does.
    void watch(difference* by) noexcept { watched_by_ = by; }

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    /// A row with this measure is, or would be, among the first n.
    [[nodiscard]] bool admits(M const& measure, std::size_t n) const {
        return rows_.size() < n || !before(rows_[n - 1].measure, to_owned(measure));
    }
    void offer(M const& measure, R const& row, std::size_t) {
        auto fresh = entry_of(measure, row);
        if (watched_by_ != nullptr) watched_by_->insert(fresh);
        rows_.insert(std::move(fresh));
    }
    void take_back(M const& measure, R const& row) {
        auto const like = entry_of(measure, row);
        entry const* const there = rows_.find(like);
        // What was refused when it came (its function threw) is not there: the caller is told.
        if (there == nullptr) throw std::logic_error{"a row is taken back that is not there"};
        if (watched_by_ != nullptr) watched_by_->erase(*there);
        rows_.erase(like);
    }
    void add_all(all_rows const& later, std::size_t) {
        later.rows_.each_while([&](entry const& each) {
            rows_.insert(each);
            return true;
        });
    }
    [[nodiscard]] std::vector<R> list(std::size_t n) const {
        ranking out{0, n};
        rows_.each_while([&](entry const& each) { return out.take(each); });
        return std::move(out.rows);
    }
    /// What list(n) was before `what` happened.
    [[nodiscard]] static std::vector<R> list_of_gone(difference const& what, std::size_t n) {
        ranking out{0, n};
        for (entry const* const each : what.sum().gone) {
            if (!out.take(*each)) break;
        }
        return std::move(out.rows);
    }
    /// What list(n) was before `what` happened and what it is now, both without what they begin with alike (but where
    /// `from_first`) and without what they end with alike.
    struct lists {
        std::vector<R> before;
        std::vector<R> after;
    };
    [[nodiscard]] lists changed_lists(difference const& what, std::size_t n, bool from_first) const {
        auto const sum = what.sum();
        auto const& gone = sum.gone;
        auto const& come = sum.come;
        if (gone.empty() && come.empty()) return {};
        entry first{};
        if (!from_first) {
            if (gone.empty() || (!come.empty() && order{}(*come.front(), *gone.front()))) first = *come.front();
            else first = *gone.front();
            if (WithTies) first.tie.clear();  // before all that tie with it
        }
        auto const skipped = from_first ? 0 : rows_.count_before(first);
        ranking old{skipped, n};
        ranking now{skipped, n};
        std::size_t g = 0;
        std::size_t c = 0;
        auto const one = [&](entry const& each) {
            for (; g != gone.size() && order{}(*gone[g], each); ++g) old.take(*gone[g]);
            if (c != come.size() && !order{}(*come[c], each) && !order{}(each, *come[c])) {
                ++c;
                now.take(each);
            } else {
                bool const in_step = g == gone.size() && c == come.size() && g == c;
                if (in_step && (!WithTies || old.is_plain(each)) && (!WithTies || now.is_plain(each))) return false;
                old.take(each);
                now.take(each);
            }
            return old.open || now.open;
        };
        if (from_first) rows_.each_while(one);
        else rows_.each_from(first, one);
        for (; g != gone.size() && old.take(*gone[g]); ++g) {}
        return {std::move(old.rows), std::move(now.rows)};
    }
    void save(auto& out) const {
        out.write(static_cast<std::uint64_t>(rows_.size()));
        rows_.each_while([&](entry const& each) {
            out.write(each.measure).write(each.tie).write(each.bytes);
            return true;
        });
    }
    void load(auto& in) {
        rows_.clear();
        for (auto left = in.template read<std::uint64_t>(); left != 0; --left) {
            entry fresh;
            in.read(fresh.measure).read(fresh.tie).read(fresh.bytes);
            rows_.insert(std::move(fresh));
        }
    }

private:
    difference* watched_by_ = nullptr;

    /// Rows are taken in order, as long as they rank among the first n.
    struct ranking {
        std::size_t skipped;  // rank before the first one
        std::size_t n;
        std::vector<R> rows{};
        std::optional<kept_t<M>> last{};
        bool open = true;

        [[nodiscard]] bool ties(entry const& each) const { return WithTies && last && !before(*last, each.measure); }
        /// Whether it is among the first n, and its rank, do not depend on rows before it, but on how many they are.
        [[nodiscard]] bool is_plain(entry const& each) const { return skipped + rows.size() < n && !ties(each); }
        bool take(entry const& each) {
            if (!open) return false;
            if (skipped + rows.size() >= n && !ties(each)) return open = false;
            byte_reader in{each.bytes};
            rows.push_back(in.template read<R>());
            if constexpr (WithTies) last = each.measure;
            return true;
        }
    };
    static bool before(kept_t<M> const& a, kept_t<M> const& b) noexcept { return ranks_before<kept_t<M>, Best>(a, b); }
    static entry entry_of(M const& measure, R const& row) {
        entry out{to_owned(measure), {}, {}};
        put_tie(out.tie, row);
        byte_writer{out.bytes}.write(row);
        return out;
    }
};

/// What top() aggregates with.
///
/// Retracts    rows may be taken back: all are kept
/// Numbered    the place of a row is told: a list that has changed is told from its first row on
template <class By, extreme Best, bool WithTies, bool Retracts, bool Numbered = false>
struct top_rows_fn {
    static constexpr std::string_view kind = "top";
    template <class R>
    static constexpr combine_class combines =
        ties_in_log_order<R, Retracts> ? combine_class::ordered : combine_class::exact;

    [[no_unique_address]] By by;
    std::size_t n;

    template <class R>
    using measure_t = projected_t<By, R>;
    template <class R>
    using state_t = std::conditional_t<Retracts, all_rows<R, measure_t<R>, Best, WithTies>,
        best_rows<R, measure_t<R>, Best, WithTies>>;

    template <class R>
        requires projects<By, R>
    state_t<R> init(type_of<R>) const {
        return {};
    }
    template <class R>
        requires projects<By, R>
    state_t<R> lift(R const& row) const {
        state_t<R> one;
        one.offer(by(row), row, n);
        return one;
    }
    template <class R>
    DRIFTLESS_INLINE void add(state_t<R>& into, R const& row) const {
        into.offer(by(row), row, n);
    }
    template <class R>
        requires Retracts
    void remove(state_t<R>& from, R const& row) const {
        from.take_back(by(row), row);
    }
    template <class S>
    void combine(S& into, S const& later) const {
        into.add_all(later, n);
    }
    template <class S>
    auto lower(S const& of_all) const {
        return of_all.list(n);
    }
    /// The result before something happened, and now; both as far as they differ.
    template <class S>
        requires Retracts
    auto lower_difference(S const& of_all, typename S::difference const& what) const {
        return of_all.changed_lists(what, n, Numbered);
    }
    /// The result of a group that is empty now, before that happened.
    template <class S>
        requires Retracts
    auto lower_gone(typename S::difference const& what) const {
        return S::list_of_gone(what, n);
    }
    /// False where adding the row, or taking it back, leaves the result as it is.
    template <class R>
    [[nodiscard]] bool touches(state_t<R> const& state, R const& row) const {
        return state.admits(by(row), n);
    }
};
}  // namespace driftless::inline v0::detail
#endif
