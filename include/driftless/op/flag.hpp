// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_FLAG_HPP
#define DRIFTLESS_OP_FLAG_HPP

#include <driftless/core/config.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/name.hpp>
#include <driftless/core/operator.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {
namespace detail {
/// The value of a flag at the offset of a record: asked for once per span of offsets.
template <class Values>
class flag_lookup {
    using value_type = typename Values::value_type;
    using position = typename decltype(std::declval<Values const&>().join())::element_type;

    struct span {
        value_type value{};
        std::uint64_t from = 0;
        std::uint64_t size = 0;  // 0: not known
        std::uint64_t last = 0;  // offset that was asked for
    };
    Values const* values_;
    std::shared_ptr<position> reader_;  // at one address, wherever the stage is moved
    std::vector<span> spans_;           // by partition
    std::uint32_t input_ = 0;
    bool asked_ = false;
    operator_label label_;

public:
    flag_lookup(Values const& values, operator_label label) : values_(&values), reader_(values.join()), label_(label) {}

    DRIFTLESS_INLINE value_type const& at(origin const& record) {
        if (record.partition >= spans_.size() || record.input != input_
            || record.offset - spans_[record.partition].from >= spans_[record.partition].size) look(record);
        auto& found = spans_[record.partition];
        found.last = record.offset;
        return found.value;
    }
    /// Nothing is read for now.
    void pause() {
        if (!asked_) return;
        asked_ = false;
        note();
        values_->pause(*reader_);
        for (auto& each : spans_) each.size = 0;
    }

private:
    void note() {
        for (std::size_t p = 0; p < spans_.size(); ++p) {
            if (spans_[p].size != 0) reader_->read[p] = spans_[p].last + 1;
        }
    }
    DRIFTLESS_NOINLINE void look(origin const& record) {
        if (record.offset == origin::nowhere) {
            throw error{error_code::invalid_argument,
                sentence({label_.str(),
                    " needs records that stand at an offset of their log: put it before what makes "
                    "rows out of them"})};
        }
        if (!spans_.empty() && record.input != input_) {
            throw error{error_code::invalid_argument,
                sentence({label_.str(),
                    " is set at offsets of one log, and meets the records of two: put it before the "
                    "inputs are merged"})};
        }
        note();
        input_ = record.input;
        if (spans_.size() <= record.partition) spans_.resize(record.partition + 1);
        auto& into = spans_[record.partition];
        into.size = 0;
        auto found = values_->at(*reader_, record.partition, record.offset);
        into = {std::move(found.value), found.from, found.to - found.from, record.offset};
        asked_ = true;
    }
};

/// What both stages are. Base is forwarding, or looking_through where records go on as they are.
template <class Values, class F, class Base>
class flag_stage_base : public Base {
protected:
    flag_lookup<Values> flag_;
    [[no_unique_address]] F function_;
    operator_label label_;
    run_services* services_;

public:
    static constexpr bool tight = false;

    flag_stage_base(auto next, Values const& values, F function, operator_label label, run_services* services)
        : Base(std::move(next)),
          flag_(values, label),
          function_(std::move(function)),
          label_(label),
          services_(services) {}

    void on_chunk() {
        flag_.pause();
        this->next_.on_chunk();
    }
};

template <class Values, class F, class Next>
class flag_stage : public flag_stage_base<Values, F, forwarding<Next>> {
public:
    using flag_stage_base<Values, F, forwarding<Next>>::flag_stage_base;

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        using value_t = typename Values::value_type;
        value_t const& value = this->flag_.at(ctx.from);
        std::optional<std::remove_cvref_t<std::invoke_result_t<F const&, T const&, value_t const&>>> result;
        if (guarded(this->services_, this->label_, ctx, [&] { result.emplace(this->function_(record, value)); })) {
            this->next_.on_record(ctx, *result);
        }
    }
};

template <class Values, class F, class Next>
class flag_filter_stage : public flag_stage_base<Values, F, looking_through<Next>> {
public:
    using flag_stage_base<Values, F, looking_through<Next>>::flag_stage_base;

    template <class Ctx, class T>
    DRIFTLESS_FUSED void on_record(Ctx const& ctx, T const& record) {
        auto const& value = this->flag_.at(ctx.from);
        bool keep = false;
        guarded(this->services_, this->label_, ctx, [&] {
            keep = static_cast<bool>(this->function_(record, value));
        });
        if (keep) this->next_.on_record(ctx, record);
    }
};

/// Records of a log, not rows that were made of them.
template <class In>
inline constexpr bool flag_input = !changelog<In> && [] {
    if constexpr (In::window::assigned) return !In::window::carried;
    else return true;
}();
template <class In>
constexpr void require_flag_input() {
    static_assert(flag_input<In>,
        "driftless: flag is read at the offsets of records, and its input is rows that were made of them: put flag "
        "before the aggregate");
}
}  // namespace detail

/// Turns each record into what a function makes of it and of a flag. Made by flag<"name"_name>(values, f).
template <class Name, class Values, class F>
struct flag_op : operator_base<flag_op<Name, Values, F>> {
    static constexpr std::string_view kind = "flag";
    static constexpr bool remembers = false;
    Values const* values;
    [[no_unique_address]] F function;

    flag_op(Values const& of, F f) : values(&of), function(std::move(f)) {}

    constexpr void describe(auto&& parameter) const { parameter("name", Name::value); }

    template <class In>
    static constexpr bool takes =
        std::is_invocable_v<F const&, typename In::record const&, typename Values::value_type const&>;
    template <class In>
    static constexpr bool accepts = [] {
        if constexpr (detail::flag_input<In> && takes<In>) {
            using value_t = typename Values::value_type const&;
            return !std::is_void_v<std::invoke_result_t<F const&, typename In::record const&, value_t>>;
        } else {
            return false;
        }
    }();
    template <class In>
    using output_t = typename In::template with_record<std::remove_cvref_t<
        std::invoke_result_t<F const&, typename In::record const&, typename Values::value_type const&>>>;
    template <class In>
    static constexpr void refuse() {
        detail::require_flag_input<In>();
        if constexpr (detail::flag_input<In>) {
            static_assert(accepts<In>,
                "driftless: flag needs a function of the record and of the flag that returns a value: give it U(T "
                "const&, V), where T is the record named in [with In = stream_of<T, ...>] and V the value of the flag");
        }
    }
    template <class In, class Mode, class Next>
    auto bind(Next next, auto const& at) const {
        return detail::flag_stage<Values, F, Next>{std::move(next), *values, function, at.label, at.services()};
    }
};

/// Keeps the records for which a predicate of the record and of a flag holds. Made by
/// flag<"name"_name>.filter(values, f).
template <class Name, class Values, class F>
struct flag_filter_op : operator_base<flag_filter_op<Name, Values, F>> {
    static constexpr std::string_view kind = "flag_filter";
    static constexpr bool remembers = false;
    static constexpr bool keeps_record = true;
    Values const* values;
    [[no_unique_address]] F keep;

    flag_filter_op(Values const& of, F f) : values(&of), keep(std::move(f)) {}

    constexpr void describe(auto&& parameter) const { parameter("name", Name::value); }

    template <class In>
    static constexpr bool takes =
        std::is_invocable_r_v<bool, F const&, typename In::record const&, typename Values::value_type const&>;
    template <class In>
    static constexpr bool accepts = detail::flag_input<In> && takes<In>;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {
        detail::require_flag_input<In>();
        if constexpr (detail::flag_input<In>) {
            static_assert(accepts<In>,
                "driftless: flag(...).filter needs a predicate of the record and of the flag: give it bool(T const&, "
                "V), where T is the record named in [with In = stream_of<T, ...>] and V the value of the flag");
        }
    }
    template <class In, class Mode, class Next>
    auto bind(Next next, auto const& at) const {
        return detail::flag_filter_stage<Values, F, Next>{std::move(next), *values, keep, at.label, at.services()};
    }
};

/// What flag<"name"_name> is: it makes operators.
template <class Name>
struct flag_factory {
    template <class Values, class F>
    auto operator()(Values const& values, F function) const {
        return flag_op<Name, Values, F>{values, std::move(function)};
    }
    template <class Values, class F>
    auto filter(Values const& values, F keep) const {
        return flag_filter_op<Name, Values, F>{values, std::move(keep)};
    }
};

/// A feature flag read at a logged offset, so that a replay sees the value that was seen when the record was new.
///
///     from<order>() | flag<"taxed"_name>(taxed, [](order const& o, bool on) { return on ? with_tax(o) : o; })
///     from<order>() | flag<"all"_name>.filter(all, [](order const& o, bool on) { return on || o.shop < 10; })
///
/// Shape       stream of T -> the same stream of U (as map), or of fewer T (as filter); order, key and window stay. The
///             values are a flag_values (log/flag_values.hpp), which is borrowed. The name is part of the fingerprint.
/// Time        The value is the one in force at the offset of the record in its log, whatever is set meanwhile: batch,
///             stream, threads, restores and replays see the same. Event times and watermarks pass unchanged.
/// State       None: what was in force stands in the log of changes, which has to be kept as long as the records are.
/// Errors      Compile time: rows in place of records; a function that does not fit. Run time: invalid_argument behind
///             a merge of inputs, or where a record has no offset; mismatch of flag_values; a function that throws is
///             subject to on_error.
/// Complexity  A few comparisons per record.
/// Example     examples/feature_flag.cpp
template <auto Name>
inline constexpr flag_factory<std::remove_cvref_t<decltype(Name)>> flag{};
}  // namespace driftless::inline v0
#endif
