// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DEDUP_NEWEST_HPP
#define DRIFTLESS_OP_DEDUP_NEWEST_HPP

// dedup that keeps the newest record of each id: newer versions correct what was handed on.
#include <driftless/agg/detail/kept_value.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/op/dedup.hpp>
#include <driftless/op/detail/changing_core.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {
namespace detail {
/// The version of a record is its event time.
struct by_event_time {};

/// What is known of an id: its newest record, and the time of its first one.
template <class Version, class T>
struct newest_of_id {
    event_time anchor{};
    Version version{};
    kept_value<T> record{};

    void save(auto& out) const {
        out.write(anchor).write(version);
        record.save(out);
    }
    void load(auto& in) {
        in.read(anchor).read(version);
        record.load(in);
    }
};

/// The policy of dedup: a record with a greater version replaces the one before it.
template <class F, class Version>
struct keep_newest {
    static constexpr bool yields_changes = true;
    using version_type = Version;
    template <class T>
    using replaced = kept_value<T>;
    template <class T>
    using state_in_time = newest_of_id<Version, T>;
    template <class T>
    using state_for_ever = newest_of_id<Version, T>;

    [[no_unique_address]] F version_of;

    template <class T>
    [[nodiscard]] constexpr Version version_in(event_time at, T const& record) const noexcept(is_sure<T>) {
        if constexpr (std::same_as<F, by_event_time>) return at;
        else return version_of(record);
    }
    /// Before a record is replaced, replace(old) is called.
    template <class Memory, class Id, class T, class Replace>
    static sighting look(Memory& memory, Id const& id, std::uint64_t hash, event_time at, Version const& version,
        T const& record, Replace const& replace) {
        using state = typename Memory::state_type;
        if (auto const* const known = memory.find(id, hash, at); known != nullptr) {
            if (!(known->version < version)) return sighting::duplicate;
            state* const of = memory.template find<true>(id, hash, at);
            replace(of->record.get());
            of->record.set(record);
            of->version = version;
            return sighting::newer;
        }
        bool const fits = memory.add(id, hash, [&] {
            state fresh{at, version, {}};
            fresh.record.set(record);
            return fresh;
        });
        return fits ? sighting::first : sighting::full;
    }

private:
    template <class T>
    static constexpr bool is_sure = [] {
        if constexpr (std::same_as<F, by_event_time>) return true;
        else return noexcept(std::declval<F const&>()(std::declval<T const&>()));
    }();
};

/// Rows of ids that are never forgotten are one a key; an id that comes back after its time has a row beside the first.
struct one_row_an_id {
    using makes_rows = void;
};
struct several_rows_an_id {
    using moves_rows = void;
};

template <class F, class T>
struct version_of_record {
    using type = void;
};
template <class T>
struct version_of_record<by_event_time, T> {
    using type = event_time;
};
template <class F, class T>
    requires projects<F, T>
struct version_of_record<F, T> {
    using type = projected_t<F, T>;
};
}  // namespace detail

/// Says what makes a record of dedup newer than another one of its id. Made by newest().
template <class F>
struct newest_option {
    [[no_unique_address]] F version_of;
};
/// The record with the greatest version stays: `newest<&T::version>()`, `newest(f)`; or the one with the greatest event
/// time: `newest()`. Of two that are equal, the first in the log.
template <auto Member>
constexpr auto newest() {
    return newest_option<detail::member_projection<Member>>{};
}
constexpr auto newest() { return newest_option<detail::by_event_time>{}; }
template <class F>
constexpr auto newest(F version) {
    return newest_option<decltype(detail::make_projection(version))>{detail::make_projection(std::move(version))};
}

/// Hands on the newest record of each id, as it changes. Made by dedup(..., newest<&T::version>()).
template <class F, class Kept, class Diverted, class Version>
struct dedup_newest_op
    : operator_base<dedup_newest_op<F, Kept, Diverted, Version>>,
      detail::dedup_id<F>,
      std::conditional_t<std::same_as<Kept, duration>, detail::several_rows_an_id, detail::one_row_an_id> {
    static constexpr std::string_view kind = "dedup";
    using is_stateful = void;
    static constexpr bool by_time = std::same_as<Kept, duration>;
    template <class In>
    using bounded_by = Kept;

    [[no_unique_address]] Kept kept;
    allowed_lateness lateness{};
    newest_option<Version> newest;

    constexpr dedup_newest_op(
        detail::dedup_id<F> id, Kept bound, allowed_lateness late, newest_option<Version> by)
        : detail::dedup_id<F>(std::move(id)), kept(bound), lateness(late), newest(std::move(by)) {}

    void validate() const { detail::validate_dedup(kept, lateness); }
    constexpr void describe(auto&& parameter) const {
        detail::describe_dedup<F, Kept, Diverted>(parameter, kept, lateness);
        parameter("newest by",
            std::string_view{std::same_as<Version, detail::by_event_time> ? "event time" : "version"});
    }

    template <class In>
    using version_t = typename detail::version_of_record<Version, typename In::record>::type;
    /// Versions can be compared, and outlive their record.
    template <class In>
    static constexpr bool compares = [] {
        using version = version_t<In>;
        if constexpr (std::is_void_v<version>) return false;
        else
            return encodable<version> && std::default_initializable<version> && !has_text<version>
                && requires(version const& a, version const& b) {
                       { a < b } -> std::convertible_to<bool>;
                   };
    }();
    template <class In>
    static constexpr bool keeps = encodable<typename In::record> && std::default_initializable<typename In::record>;
    template <class In>
    static constexpr bool needs_time = by_time || std::same_as<Version, detail::by_event_time>;
    template <class In>
    static constexpr bool accepts = !changelog<In> && detail::yields_id<F, typename In::record>
        && (timestamped<In> || !needs_time<In>) && !In::window::assigned && compares<In> && keeps<In>;
    template <class In>
    using id_t = std::remove_cvref_t<std::invoke_result_t<F const&, typename In::record const&>>;
    template <class In>
    using output_t = stream_of<typename In::record, In::timed, id_t<In>, no_window, stream_kind::changes>;
    template <class In>
    static constexpr void refuse() {
        detail::refuse_dedup<In, F, needs_time<In>>();
        static_assert(!In::window::assigned,
            "driftless: dedup with newest() knows no windows, as a newer version may come when they have closed: leave "
            "window(...) out");
        static_assert(keeps<In>,
            "driftless: dedup with newest() keeps records, and this one has no codec: write "
            "BOOST_HANA_ADAPT_STRUCT(T, members...)");
        static_assert(compares<In>,
            "driftless: dedup with newest() compares versions: give it a member or a function of the record that "
            "yields a number, a time or another type with a codec, operator< and no text");
    }
    template <class In, class Mode, class Next, class Place>
    constexpr auto bind(Next next, Place const& at) const {
        using policy = detail::keep_newest<Version, version_t<In>>;
        return detail::bind_dedup<In, Mode, F, Diverted>(
            policy{newest.version_of}, *this, kept, lateness, std::move(next), at);
    }
};

namespace detail {
template <class F, dedup_bound Kept, class Version, dedup_option... Options>
constexpr auto make_dedup_newest(dedup_id<F> id, Kept kept, newest_option<Version> by, Options... options) {
    auto const first = make_dedup(std::move(id), kept, options...);  // checks the options
    return dedup_newest_op<F, Kept, typename diverted_by<Options...>::type, Version>{
        static_cast<dedup_id<F> const&>(first), kept, first.lateness, std::move(by)};
}
}  // namespace detail

/// Hands on the newest record of each id: a newer version that comes later replaces the one before it.
///
/// Shape       record stream -> changes of the same record, named by their id: (none, first), then (old, new) for each
///             newer version. `dedup<&T::id>(1_h, newest<&T::version>(), options...)`, `dedup(f, 1_h, newest(g))`. Any
///             key from before is given up. What follows takes the old record back: `key_by<&T::account>() |
///             aggregate(...)` counts each id once, under its newest account.
/// Time        As dedup(): an id has a group of records, those that are less than the time to live from the first of
///             them, before or after; of two groups that a record could belong to, it is in the one whose first record
///             has the lesser time. The record that stays is the one with the greatest version, of equal ones the first
///             in the log; one that is not newer is refused as `duplicate`, and goes to divert_to. A newer version that
///             is late, watermark > at + allowed lateness, is refused as late: corrections that come long after have
///             their own time, or allowed_lateness{} allows for them. A change has the time of the newer record.
/// State       Per group its newest record and version, for as long as dedup() remembers an id. An id that comes back
///             after that is a new row of the same name.
/// Batch       The same changes in the same order; with the exact watermark nothing is late.
/// Threads     In shards by the canonical hash of the id, in the order of one thread; with max_keys{n} on the job's.
/// Errors      Compile time: as dedup(); windows, a record without a codec, versions that cannot be compared. Run time:
///             refusals `duplicate`, `late`, `capacity`; a function that throws is subject to on_error.
/// Complexity  O(1): as dedup(), and a copy of the record.
/// Source      SEMANTICS sections 9 and 10a.
template <auto... Members, detail::dedup_bound Kept, class Version, detail::dedup_option... Options>
    requires(sizeof...(Members) > 0)
constexpr auto dedup(Kept kept, newest_option<Version> by, Options... options) {
    using f = detail::key_function<detail::member_projection<Members>...>;
    return detail::make_dedup_newest(detail::dedup_id<f>{}, kept, std::move(by), options...);
}
template <class F, detail::dedup_bound Kept, class Version, detail::dedup_option... Options>
    requires(!detail::dedup_bound<F>)
constexpr auto dedup(F id, Kept kept, newest_option<Version> by, Options... options) {
    using f = detail::key_function<decltype(detail::make_projection(id))>;
    return detail::make_dedup_newest(
        detail::dedup_id<f>{f{detail::make_projection(std::move(id))}}, kept, std::move(by), options...);
}
}  // namespace driftless::inline v0
#endif
