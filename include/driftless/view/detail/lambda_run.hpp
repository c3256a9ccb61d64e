// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LAMBDA_RUN_HPP
#define DRIFTLESS_VIEW_DETAIL_LAMBDA_RUN_HPP

#include <driftless/agg/function.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/run/job.hpp>
#include <driftless/run/properties.hpp>
#include <driftless/time/window.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/detail/build_job.hpp>
#include <driftless/view/detail/lambda_layers.hpp>
#include <driftless/view/detail/lambda_sink.hpp>
#include <driftless/view/detail/log_slice.hpp>
#include <driftless/view/lambda_additive.hpp>
#include <driftless/view/versioned_view.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// Whether rows of windows that are open at T may be shown until these fire, when the speed layer has read on: nothing
/// it says before may contradict them. So it is where rows only come when their window ends; and, with early panes,
/// where the row of a key and window depends on nothing but its own records.
template <class P>
consteval bool early_rows_stand_alone() {
    using op = typename P::op_type;
    if constexpr (is_root<P>) return false;
    else if constexpr (is_stateful<op>::value)
        return requires { typename op::functions; } && !changelog<typename P::input_t>
            && !windows_by_records<typename P::input_t::window>;
    else return early_rows_stand_alone<typename P::prev_type>();
}
template <class P>
consteval bool open_rows_stay() {
    using window = typename output_of<P>::window;
    if constexpr (!window::assigned) return false;
    else if constexpr (!window::windowing::triggered) return true;
    else return early_rows_stand_alone<P>();
}

/// What rows a pipeline yields.
template <class Key, class Record>
struct row_types {
    using key = Key;
    using value = Record;
};
template <class Key, class K, class V>
struct row_types<Key, pane<K, V>> {
    using key = K;
    using value = V;
};

/// What a coordinator is given: a pipeline whose rows replace one another, or one whose layers are added.
template <class P>
struct lambda_side {
    using pipeline = P;
    using rows = row_types<typename output_of<P>::key, typename output_of<P>::record>;
    using key = owned_t<typename rows::key>;
    using merge = replaced_rows<owned_t<typename rows::value>>;
    static constexpr bool has_rows = is_pane<typename output_of<P>::record>
        || !std::is_same_v<typename output_of<P>::key, unkeyed> || output_of<P>::window::assigned;
    static pipeline make(P const& p) { return p; }
    static merge merge_of(P const&) { return {.open_stay = open_rows_stay<P>()}; }
};
template <class P>
struct lambda_side<added_layers<P>> {
    using pipeline = decltype(with_accumulators(std::declval<P const&>()));
    using rows = row_types<typename output_of<P>::key, typename output_of<P>::record>;
    using key = owned_t<typename rows::key>;
    using merge = added_rows<pack_of<P>>;
    static constexpr bool has_rows = true;
    static pipeline make(added_layers<P> const& p) { return with_accumulators(p.pipeline); }
    static merge merge_of(added_layers<P> const& p) { return {pack_in(p.pipeline)}; }
};

/// The job of a layer: the pipeline over a part of its logs. Both layers have one of the same type.
template <class Side, class... Inputs>
class lambda_run {
    using merge = typename Side::merge;
    using sink_t = lambda_sink<typename Side::key, typename merge::stored, typename merge::shown>;
    using layers = typename sink_t::layers_type;
    using pipeline = typename Side::pipeline;

    read_session<layers> held_;  // what it writes to stays for as long as it runs
    sink_t sink_;
    job<stream, pipeline, typename sliced_input<Inputs>::type..., sink_t&> job_;

public:
    using target = typename sink_t::target;

    lambda_run(read_session<layers> held, layers& of, target into, stream const& mode, pipeline const& p,
        typename sliced_input<Inputs>::type... inputs)
        : held_(std::move(held)), sink_(of, into), job_(mode, p, std::move(inputs)..., sink_) {}

    [[nodiscard]] auto& running() noexcept { return job_; }
    [[nodiscard]] sink_t& sink() noexcept { return sink_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return held_.version(); }
    /// The offset of the next record of each partition, by input.
    [[nodiscard]] std::vector<std::uint64_t> positions() {
        std::vector<std::uint64_t> out;
        job_.each_position(
            [&](std::string_view, auto const&, std::uint32_t, std::uint64_t next) { out.push_back(next); });
        return out;
    }
    void describe(build& about) {
        about.inputs.clear();
        job_.each_position(
            [&]<class Log>(std::string_view input, Log const& log, std::uint32_t p, std::uint64_t next) {
                build_input in;
                in.input = input;
                if constexpr (requires { to_string(log.id()); }) in.log = to_string(log.id());
                in.schema = schema_id_of<typename Log::value_type>();
                in.partition = p;
                in.begin = log.begin_offset(p);
                in.offset = next;
                about.inputs.push_back(std::move(in));
            });
        auto const books = job_.books();
        about.records = books.records;
        about.failures = books.failures;
        about.refused = 0;
        for (auto const& each : books.stages) about.refused += each.refusals();
        about.watermark = sink_.last().watermark;
        about.progress = sink_.last().progress;
    }
};

/// The versions of a lambda_view: what its coordinator changes itself.
template <class K, class Stored, class Layers>
class lambda_versions : public versioned_view<K, Stored, Layers> {
    using base = versioned_view<K, Stored, Layers>;

public:
    lambda_versions(std::string in, versioned_view_options how) : base(std::move(in), std::move(how), false) {}
    using base::at;
    using base::broken;
    using base::folder_of;
    using base::list;
    using base::now;
    using base::reread;
    using base::retire_old;
    using base::show;
    using base::unload;
};
}  // namespace driftless::inline v0::detail
#endif
