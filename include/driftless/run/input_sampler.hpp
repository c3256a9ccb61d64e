// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_INPUT_SAMPLER_HPP
#define DRIFTLESS_RUN_INPUT_SAMPLER_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/hash.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/reflect.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/stage.hpp>
#include <driftless/core/text.hpp>
#include <driftless/core/time_histogram.hpp>
#include <driftless/log/detail/block_offsets.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/metrics/heavy_hitters.hpp>
#include <driftless/metrics/metric.hpp>
#include <driftless/op/detail/aggregate_core.hpp>
#include <driftless/run/detail/engine.hpp>
#include <driftless/run/detail/lane.hpp>
#include <driftless/run/report.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How much an input_sampler looks at and keeps.
struct sampler_options {
    std::size_t records = 4096;  ///< at most so many per look; if no more came, all of them
    std::size_t run = 64;        ///< in a row, from each place it looks at
    std::size_t keys = 64;       ///< so many keys are kept, at least 1
    std::size_t shown = 10;      ///< and so many exported
    std::size_t shards = 8;      ///< whose load is told apart, at least 1: as many as the job has threads
    std::uint64_t seed = 1;      ///< where it looks
};
/// A field of the records of an input.
struct field_sample {
    std::string field;
    std::uint64_t records = 0;  ///< that were looked at
    std::uint64_t nulls = 0;    ///< of these: an optional without value, an empty text, NaN
};

namespace detail {
/// The pipeline up to its first key_by; void if it has none.
template <class P>
struct first_key_by {
    using before = typename first_key_by<typename P::prev_type>::type;
    static constexpr bool here = std::string_view{P::op_type::kind} == std::string_view{"key_by"};
    using type = std::conditional_t<!std::is_void_v<before>, before, std::conditional_t<here, P, void>>;
};
template <class Root>
struct first_key_by<root_link<Root>> {
    using type = void;
};

/// What a sample is made of.
struct input_sample {
    heavy_hitters keys;
    std::vector<std::uint64_t> shards;  // records by shard
    std::vector<time_histogram> disorder;  // by partition
    std::vector<event_time> newest;
    std::uint64_t records = 0;

    void key(std::uint64_t hash, auto const& value) {
        keys.add(hash, [&] { return text_of(value); });
        ++shards[shard_of(hash, shards.size())];
    }
    void time(std::uint32_t partition, event_time at) {
        auto& newest_here = newest[partition];
        disorder[partition].add(newest_here > at && newest_here != event_time::min() ? newest_here - at : duration{});
        if (newest_here < at) newest_here = at;
    }
    template <class Key>
    static std::string text_of(Key const& key) {
        if constexpr (std::is_same_v<Key, text>) return std::string{key.view()};
        else if constexpr (std::is_same_v<Key, std::string>) return key;
        else return encoded_to_json(parse_schema(schema_of<Key>()), driftless::encode(key));
    }
};

/// The end of the chain that a sample goes through.
template <class In>
class sampling_stage : public terminal {
    input_sample* to_;

public:
    explicit sampling_stage(input_sample* to) : to_(to) {}
    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const&) {
        if constexpr (In::timed) to_->time(ctx.from.partition, ctx.at);
        to_->key(canonical_hash(*ctx.key), *ctx.key);
    }
};
template <class T>
[[nodiscard]] bool is_null(T const& value) {
    if constexpr (requires { value.has_value(); }) return !value.has_value();
    else if constexpr (requires { value.view(); }) return value.view().empty();
    else if constexpr (std::is_same_v<T, std::string>) return value.empty();
    else if constexpr (std::is_floating_point_v<T>) return value != value;
    else return false;
}
}  // namespace detail

/// Looks at a sample of what an input brings, beside the job and at no cost to it: which keys are hot, how uneven the
/// load of shards is, how far records are out of order, and how often fields hold nothing.
///
///     input_sampler eyes{per_user, log};
///     watcher thread{5_s, [&] { eyes.look(); }};
///
/// Shape       A look reads what has come since the look before, all of it or `records` of it in runs of `run`, from
///             the log; and takes it through the functions of the pipeline up to its first key_by. Keys, shards and
///             disorder are of the records that come there; fields are those of the records of the log.
/// Time        Disorder is how far a record is behind the newest one of its partition that was looked at before it:
///             with a part of the records it is a little less than it was.
/// State       options.keys keys, a histogram per partition, two numbers per field; it begins at the end of the log, or
///             where look_from() says.
/// Errors      Compile time: a pipeline with a fan-in, or an operator before its first key_by that does not take
///             records one by one; give the branch that reads this log. Functions that throw leave the record out of
///             the sample. A part of the log that is gone is left out.
/// Threads     Any; each call waits for the one before. The functions of the pipeline are called on the thread that
///             looks, while the job calls them on its own: as with several threads (docs/running.md).
/// Complexity  A look is O(options.records * options.keys), and the blocks that it reads.
/// Source      As heavy_hitters.
template <class P, readable_log Log>
class input_sampler {
    using record = typename Log::value_type;
    using value_type = typename stream_t<record>::record;
    using front = typename detail::first_key_by<P>::type;
    static_assert(!std::is_void_v<front>,
        "driftless: input_sampler needs a pipeline with one input and a key_by: give the branch that reads this log");
    static_assert(detail::record_by_record<front>(),
        "driftless: input_sampler needs operators that take records one by one before the first key_by (filter, map, "
        "flat_map, assign_time without a guard): sample a pipeline without the others");
    using end_stage = detail::sampling_stage<output_of<front>>;
    using builder_t = detail::graph_builder<std::tuple<>>;
    using heads_t = decltype(detail::make_chain<exact_batch<false>>(
        std::declval<front const&>(), std::declval<end_stage>(), std::declval<builder_t&>()));
    using chain_t = typename std::tuple_element_t<0, heads_t>::chain_type;

    P pipeline_;
    Log const& log_;
    sampler_options options_;
    run_services services_{.policy = on_error::skip};
    detail::owned_nodes nodes_;
    std::tuple<> no_args_;
    builder_t builder_{&services_, &nodes_, &no_args_};
    detail::input_sample sampled_;
    chain_t chain_;
    std::vector<std::uint64_t> next_;
    std::vector<field_sample> fields_;
    std::uint64_t random_;
    mutable std::mutex mutex_;

public:
    input_sampler(P pipeline, Log const& log, sampler_options options = {})
        : pipeline_(std::move(pipeline)),
          log_(log),
          options_(checked(options)),
          sampled_{heavy_hitters{options.keys}, std::vector<std::uint64_t>(options.shards),
              std::vector<time_histogram>(log.partitions()),
              std::vector<event_time>(log.partitions(), event_time::min())},
          chain_(chain_of(detail::part_of<front>(pipeline_), end_stage{&sampled_}, builder_)),
          random_(options.seed * 2 + 1) {
        for (std::uint32_t p = 0; p < log_.partitions(); ++p) next_.push_back(log_.end_offset(p));
        if constexpr (reflected<value_type>) {
            detail::for_each_member_index<value_type>([&]<std::size_t I>() {
                fields_.push_back({std::string{detail::member_name<I, value_type>()}, 0, 0});
            });
        }
    }
    input_sampler(input_sampler const&) = delete;
    input_sampler& operator=(input_sampler const&) = delete;

    /// The next look begins there, with whatever was seen before it kept.
    void look_from(std::uint64_t offset, std::uint32_t partition = 0) {
        std::lock_guard const lock{mutex_};
        next_[partition] = offset;
    }
    /// Looks at what has come, up to the ends of the log.
    void look() {
        std::lock_guard const lock{mutex_};
        for (std::uint32_t p = 0; p < next_.size(); ++p) look_at(p, log_.end_offset(p));
    }
    /// The same, up to where a job has read this input.
    void look(report const& job, std::string_view input = {}) {
        std::lock_guard const lock{mutex_};
        for (auto const& each : job.partitions) {
            if (each.input == input && each.partition < next_.size()) look_at(each.partition, each.next);
        }
    }

    /// The keys that are met most often, the first `n`; their counts are of the sample.
    [[nodiscard]] std::vector<heavy_hitter> hot_keys(std::size_t n = 10) const {
        std::lock_guard const lock{mutex_};
        return sampled_.keys.top(n);
    }
    /// How much more than the mean the busiest of the shards gets: 1 is even, the number of shards the worst; 0 before
    /// the first record.
    [[nodiscard]] double imbalance() const {
        std::lock_guard const lock{mutex_};
        return uneven();
    }
    [[nodiscard]] time_histogram disorder(std::uint32_t partition = 0) const {
        std::lock_guard const lock{mutex_};
        return sampled_.disorder[partition];
    }
    [[nodiscard]] std::vector<field_sample> fields() const {
        std::lock_guard const lock{mutex_};
        return fields_;
    }
    /// Records of the log that were looked at.
    [[nodiscard]] std::uint64_t records() const {
        std::lock_guard const lock{mutex_};
        return sampled_.records;
    }
    /// Adds what was found, for the input of that name.
    void collect(metric_set& into, std::string_view input = {}) const {
        std::lock_guard const lock{mutex_};
        auto const labels = [&](metric_labels own = {}) {
            if (!input.empty()) own.insert(own.begin(), {"input", std::string{input}});
            return own;
        };
        into.counter("driftless_sampled_records_total", "Records of the log that a sampler has looked at.")
            .add(labels(), sampled_.records);
        auto const total = static_cast<double>(sampled_.keys.total());
        auto& hot = into.gauge("driftless_hot_key_ratio", "The share of a key among the keys that were sampled.");
        for (auto const& each : sampled_.keys.top(options_.shown))
            hot.add(labels({{"key", each.name}}), static_cast<double>(each.count) / total);
        into.gauge("driftless_shard_imbalance_ratio", "The load of the busiest of so many shards, by the mean.")
            .add(labels({{"shards", std::to_string(options_.shards)}}), uneven());
        if constexpr (output_of<front>::timed) {
            auto& late = into.histogram(
                "driftless_disorder_seconds", "How far sampled records were behind the newest one of their partition.");
            for (std::size_t p = 0; p < sampled_.disorder.size(); ++p)
                late.add(labels({{"partition", std::to_string(p)}}), in_seconds(sampled_.disorder[p]));
        }
        auto& nulls = into.gauge("driftless_field_null_ratio", "The share of records whose field holds nothing.");
        for (auto const& each : fields_) {
            if (each.records == 0) continue;
            nulls.add(labels({{"field", each.field}}),
                static_cast<double>(each.nulls) / static_cast<double>(each.records));
        }
    }

private:
    static chain_t chain_of(front const& of, end_stage last, builder_t& builder) {
        return std::move(std::get<0>(detail::make_chain<exact_batch<false>>(of, std::move(last), builder)).chain);
    }
    static sampler_options const& checked(sampler_options const& options) {
        if (options.records == 0 || options.run == 0 || options.keys == 0 || options.shards == 0) {
            throw error{error_code::invalid_argument,
                "sampler_options needs records, run, keys and shards of at least 1"};
        }
        return options;
    }
    [[nodiscard]] double uneven() const {
        std::uint64_t most = 0;
        std::uint64_t all = 0;
        for (auto const n : sampled_.shards) {
            most = std::max(most, n);
            all += n;
        }
        return all == 0 ? 0 : static_cast<double>(most * sampled_.shards.size()) / static_cast<double>(all);
    }
    void look_at(std::uint32_t partition, std::uint64_t end) {
        auto& next = next_[partition];
        next = std::max(next, std::uint64_t{log_.begin_offset(partition)});
        if (end <= next) return;
        auto const budget = std::max(options_.records / next_.size(), options_.run);
        if (end - next <= budget) {
            read(partition, next, end);
        } else {
            auto const runs = std::max<std::uint64_t>(budget / options_.run, 1);
            auto const stride = (end - next) / runs;
            for (std::uint64_t i = 0; i < runs; ++i) {
                random_ = random_ * 6364136223846793005u + 1442695040888963407u;  // Knuth, MMIX
                auto const room = stride > options_.run ? stride - options_.run : 0;
                auto const from = next + i * stride + (room == 0 ? 0 : (random_ >> 33) % room);
                read(partition, from, std::min<std::uint64_t>(from + options_.run, end));
            }
        }
        next = end;
    }
    void read(std::uint32_t partition, std::uint64_t from, std::uint64_t to) {
        try {
            while (from < to) {
                auto const block = log_.read(partition, from);
                auto const n = detail::records_below(block, from, to);
                for (std::size_t i = 0; i < n; ++i) sample(block[i], partition, detail::offset_in(block, from, i));
                from = detail::next_behind(block, from);
            }
        } catch (error const& problem) {
            if (problem.code() != error_code::not_there) throw;  // else it was removed meanwhile
        }
    }
    void sample(record const& each, std::uint32_t partition, std::uint64_t offset) {
        ++sampled_.records;
        if constexpr (reflected<value_type>) {
            auto const& value = [&]() -> auto const& {
                if constexpr (is_event<record>) return each.value;
                else return each;
            }();
            detail::for_each_member_index<value_type>([&]<std::size_t I>() {
                ++fields_[I].records;
                if (detail::is_null(detail::member<I>(value))) ++fields_[I].nulls;
            });
        }
        detail::push(chain_, context<>{.from = {offset, partition, 0}}, each);
    }
};
}  // namespace driftless::inline v0
#endif
