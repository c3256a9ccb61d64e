// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_TESTING_CHECK_LAWS_HPP
#define DRIFTLESS_TESTING_CHECK_LAWS_HPP

#include <driftless/agg/function.hpp>
#include <driftless/agg/pack.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/testing/detail/seeded.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::testing {

/// What check_laws found: `ok`, or a sentence that names the broken law.
struct law_report {
    bool ok = true;
    std::string sentence{};

    explicit operator bool() const noexcept { return ok; }
};

namespace detail {
/// Keeps the first broken law.
class law_reporter {
protected:
    law_report report_;

    /// Each # in the sentence becomes the next number.
    template <class... N>
    void expect(bool holds, std::string_view kind, char const* sentence, N... numbers) {
        if (holds || !report_.ok) return;
        std::size_t const list[] = {static_cast<std::size_t>(numbers)..., 0};
        fail(kind, sentence, list);
    }

private:
    DRIFTLESS_NOINLINE void fail(std::string_view kind, char const* sentence, std::size_t const* number) {
        report_.ok = false;
        report_.sentence = "driftless: ";
        report_.sentence.append(kind).append(": ");
        for (; *sentence != '\0'; ++sentence) {
            if (*sentence == '#') report_.sentence += std::to_string(*number++);
            else report_.sentence += *sentence;
        }
    }
};

template <class A, class T>
class law_checker : law_reporter {
    using pack_t = driftless::detail::aggregate_pack<T, A>;
    using state = typename pack_t::state;
    using value = typename driftless::detail::applied_function<A, T>::state;
    static constexpr bool has_identity = driftless::detail::has_init<A, T>;

    A function_;
    pack_t pack_;
    std::vector<T> const& records_;
    seeded random_;

public:
    law_checker(A function, std::vector<T> const& records, std::uint64_t seed)
        : function_(function), pack_(function), records_(records), random_{seed} {}

    law_report run() {
        repeat();
        encoding();
        if constexpr (pack_t::combinable) {
            add_is_combine();
            identity();
            if constexpr (pack_t::combines != combine_class::sequential) associativity();
            if constexpr (pack_t::combines == combine_class::exact) any_order();
            if constexpr (pack_t::invertible) remove();
            if constexpr (pack_t::subtractable) inverse();
        }
        return report_;
    }

private:
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    [[nodiscard]] state part(std::size_t from, std::size_t to) const {
        state of = pack_.init();
        for (; from < to; ++from) pack_.add(of, records_[from]);
        return of;
    }
    [[nodiscard]] state whole() const { return part(0, size()); }
    [[nodiscard]] state combined(state a, state const& b) const {
        pack_.combine(a, b);
        return a;
    }
    [[nodiscard]] state lifted(T const& record) const {
        state one = pack_.init();
        driftless::detail::leaf<0>(one) = function_.lift(record);
        return one;
    }

    /// To the byte of their encoding, as law 2 asks; else by ==; else by what they lower to.
    [[nodiscard]] bool same(state const& a, state const& b) const {
        using driftless::detail::leaf;
        if constexpr (encodable<state>) {
            return encode(a) == encode(b);
        } else if constexpr (std::equality_comparable<value>) {
            return leaf<0>(a) == leaf<0>(b);
        } else {
            static_assert(std::equality_comparable<typename pack_t::result>,
                "driftless: check_laws compares states: give the state save and load, or operator==, or the result "
                "an operator==");
            if constexpr (!has_identity && pack_t::combinable) {  // nothing to lower where there is no record
                if (!leaf<0>(a) || !leaf<0>(b)) return leaf<0>(a).has_value() == leaf<0>(b).has_value();
            }
            return pack_.lower(a) == pack_.lower(b);
        }
    }
    template <class... N>
    void expect(bool holds, char const* sentence, N... numbers) {
        law_reporter::expect(holds, pack_t::kinds[0], sentence, numbers...);
    }

    void repeat() {
        expect(same(whole(), whole()), "the same records give another state the second time: add must be pure");
    }
    void encoding() {
        if constexpr (encodable<state>) {
            for (std::size_t const n : {std::size_t{0}, size()}) {
                auto const bytes = encode(part(0, n));
                state copy = whole();  // load replaces what is there
                byte_reader reader{bytes};
                pack_t::load(copy, reader);
                expect(reader.at_end() && encode(copy) == bytes,
                    "the state of # records is another one after save and load", n);
            }
        }
    }
    void add_is_combine() {
        state by_add = pack_.init();
        state by_combine = pack_.init();
        for (std::size_t i = 0; i < size() && report_.ok; ++i) {
            pack_.add(by_add, records_[i]);
            pack_.combine(by_combine, lifted(records_[i]));
            expect(same(by_add, by_combine),
                "add(state, record) differs from combine(state, lift(record)), first at record # of #", i, size());
        }
    }
    void identity() {
        for (std::size_t i = 0; i <= size() && report_.ok; ++i) {
            state const some = i < size() ? lifted(records_[i]) : whole();
            expect(same(combined(pack_.init(), some), some),
                "init() is no identity: combine(init(), state) changes the state of record # of # (past the last: of "
                "all)",
                i, size());
            expect(same(combined(some, pack_.init()), some),
                "init() is no identity: combine(state, init()) changes the state of record # of # (past the last: of "
                "all)",
                i, size());
        }
    }
    void associativity() {
        state const all = whole();
        auto const check = [&](std::size_t i, std::size_t j) {
            state const a = part(0, i), b = part(i, j), c = part(j, size());
            state const left = combined(combined(a, b), c);
            expect(same(left, combined(a, combined(b, c))),
                "combine is not associative: (a b) c differs from a (b c), cut at # and # of #", i, j, size());
            expect(same(left, all),
                "combine is not associative: the parts do not make the whole, cut at # and # of #", i, j, size());
        };
        if (size() <= 48) {
            for (std::size_t i = 0; i <= size() && report_.ok; ++i)
                for (std::size_t j = i; j <= size() && report_.ok; ++j) check(i, j);
        } else {
            for (std::size_t i = 0; i <= size() && report_.ok; i += step()) check(i, i);
            for (int n = 0; n < 1000 && report_.ok; ++n) {
                auto const i = random_(size() + 1);
                check(i, i + random_(size() + 1 - i));
            }
        }
    }
    [[nodiscard]] std::size_t step() const noexcept { return 1 + size() / 1000; }
    [[nodiscard]] std::vector<std::size_t> permutation() {
        std::vector<std::size_t> order(size());
        for (std::size_t i = 0; i < size(); ++i) order[i] = i;
        for (std::size_t i = size(); i > 1; --i) std::swap(order[i - 1], order[random_(i)]);
        return order;
    }
    void any_order() {
        state const all = whole();
        for (int n = 0; n < 32 && report_.ok; ++n) {
            auto const order = permutation();
            state by_add = pack_.init();
            state first = pack_.init();
            state second = pack_.init();
            auto const cut = random_(size() + 1);
            for (std::size_t i = 0; i < size(); ++i) {
                pack_.add(by_add, records_[order[i]]);
                pack_.add(i < cut ? first : second, records_[order[i]]);
            }
            expect(same(by_add, all),
                "it says exact, yet the order of records shows in the state (permutation # of the seed)", n);
            expect(same(combined(second, first), all),
                "it says exact, yet the order of parts shows in the state (permutation # of the seed)", n);
        }
    }
    void remove() {
        for (std::size_t i = 0; i <= size() && report_.ok; i += step()) {
            state left = whole();
            for (std::size_t j = size(); j > i; --j) pack_.remove(left, records_[j - 1]);
            expect(same(left, part(0, i)),
                "remove does not undo add: another state is left when all but the first # of # are taken back", i,
                size());
        }
        if constexpr (pack_t::combines == combine_class::exact) {
            state left = whole();
            for (auto const i : permutation()) pack_.remove(left, records_[i]);
            expect(same(left, pack_.init()), "remove does not undo add in every order, though it says exact");
        }
    }
    void inverse() {
        for (std::size_t i = 0; i <= size() && report_.ok; i += step()) {
            state left = whole();
            pack_.inverse(left, part(i, size()));
            expect(same(left, part(0, i)),
                "inverse does not undo combine: another state is left when all but the first # of # are taken back",
                i, size());
        }
    }
};
}  // namespace detail

/// Checks an aggregate function on sample records: does it keep what it says?
///
/// Always       the same records give the same state; save and load give it back (where it has a codec)
/// combinable   add(s, r) is combine(s, lift(r)); init() is an identity (without init: the absent state is)
/// ordered      combine is associative, and the parts make the whole: for all pairs of cuts up to 48 records, else for
///              1000 of them drawn by the seed
/// exact        so for 32 permutations of the records, too
/// invertible   remove undoes add, inverse undoes combine
///
/// States are compared by encoded bytes; without a codec by ==; without that by what they lower to. Passing is
/// evidence, not proof: choose records at the edges (least and greatest values, NaN, equal ones, empty text).
///
/// Errors      None of its own; what the functions throw passes through.
/// Complexity  O(n^3) up to 48 records, O(1000 n) beyond.
template <class A, class T>
    requires aggregate_function<A, T>
[[nodiscard]] law_report check_laws(A const& function, std::vector<T> const& records, std::uint64_t seed = 1) {
    return detail::law_checker<A, T>{function, records, seed}.run();
}
}  // namespace driftless::inline v0::testing
#endif
