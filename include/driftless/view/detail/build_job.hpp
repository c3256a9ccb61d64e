// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_BUILD_JOB_HPP
#define DRIFTLESS_VIEW_DETAIL_BUILD_JOB_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/log/readable.hpp>
#include <driftless/run/fingerprint.hpp>
#include <driftless/run/job.hpp>
#include <driftless/view/detail/build_sink.hpp>
#include <driftless/view/detail/correction_reach.hpp>
#include <driftless/view/detail/log_from.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The name of the jobs of versions: what their snapshots are known by.
inline constexpr std::string_view build_job_name = "build";
inline constexpr std::string_view build_state_name = "state";

inline std::uint64_t schema_id(std::string const& schema) { return xxh3_64(schema.data(), schema.size()); }
template <class T>
std::uint64_t schema_id_of() {
    static std::uint64_t const id = schema_id(schema_of<T>());
    return id;
}

/// The job that builds a version, whatever its pipeline.
template <class K, class V, class View>
class build_job {
public:
    build_job() = default;
    build_job(build_job const&) = delete;
    build_job& operator=(build_job const&) = delete;
    virtual ~build_job() = default;

    virtual std::size_t poll(std::size_t max) = 0;
    virtual void save_snapshot() = 0;
    /// Records between where it stands and where the inputs end now.
    [[nodiscard]] virtual std::uint64_t lag() = 0;
    [[nodiscard]] virtual build const& about() = 0;
    [[nodiscard]] virtual built_version<View>& version() = 0;
};

/// What a job is opened with.
template <class K, class V, class View>
struct build_place {
    built_version<View>* version;
    std::string folder;
    file_system* files;
    build about;
    std::vector<start_offset> starts;
    stream mode;  // without names of folders
    std::function<void(pane<K, V> const&)> shadow;
    event_time rows_from = event_time::min();  // rows of windows that end up to here are not its own
    bool has_rows = false;                     // those of the snapshot it begins with, in memory
};

/// A pipeline and its inputs under a name.
template <class K, class V, class View>
class build_definition {
public:
    build_definition() = default;
    build_definition(build_definition const&) = delete;
    build_definition& operator=(build_definition const&) = delete;
    virtual ~build_definition() = default;

    std::string logic_version;
    std::uint64_t fingerprint = 0;

    [[nodiscard]] virtual std::unique_ptr<build_job<K, V, View>> open(build_place<K, V, View> at) const = 0;
    /// For each partition of each input, in that order: f(input, partition, begin, end, log id, offset_at), where
    /// offset_at is a function of a time that says nothing where the log does not know.
    struct input_partition {
        std::uint32_t input;
        std::uint32_t partition;
        std::uint64_t begin;
        std::uint64_t end;
        std::string log;
        std::function<std::uint64_t(event_time)> offset_at;
    };
    [[nodiscard]] virtual std::vector<input_partition> partitions() const = 0;
    /// What rows of windows that end behind a time are made of.
    [[nodiscard]] virtual correction_reach reach(event_time from) const = 0;
};

/// An input as it is given to define(): a log, or a log under a name.
template <class X>
struct definition_input {
    using log = X;
    static log const& of(X const& x) { return x; }
    static log_from<log> from(log const& x, std::vector<std::uint64_t> offsets) {
        return log_from<log>{x, std::move(offsets)};
    }
};
template <class Name, class X>
struct definition_input<bound<Name, X>> {
    using log = std::remove_cvref_t<X>;
    static log const& of(bound<Name, X> const& x) { return x.target; }
    static bound<Name, log_from<log>> from(log const& x, std::vector<std::uint64_t> offsets) {
        return {log_from<log>{x, std::move(offsets)}};
    }
};

template <class X>
inline constexpr bool is_log_input = readable_log<typename definition_input<X>::log>;

/// An input as it is forwarded: a log that outlives the call, or a name bound to one.
template <class X>
inline constexpr bool borrows = std::is_lvalue_reference_v<X>;
template <class Name, class X>
inline constexpr bool borrows<bound<Name, X>> = std::is_lvalue_reference_v<X>;
template <class Name, class X>
inline constexpr bool borrows<bound<Name, X>&> = std::is_lvalue_reference_v<X>;

template <class K, class V, class View, class P, class... Inputs>
class typed_build_job final : public build_job<K, V, View> {
    std::string folder_;
    built_version<View>* version_;
    build_sink<K, V, View> sink_;
    job<stream, P, Inputs..., build_sink<K, V, View>&> job_;

public:
    typed_build_job(build_place<K, V, View> at, P const& pipeline, Inputs&&... inputs)
        : folder_(at.folder + "/" + std::string{build_state_name}),
          version_(at.version),
          sink_(*at.version, at.folder, *at.files, at.about, at.rows_from, at.has_rows),
          job_(mode_in(folder_, at), pipeline, std::move(inputs)..., sink_) {
        sink_.ask([this](build& about) { describe(about); });
        if (at.shadow) sink_.shadow(std::move(at.shadow));
        version_->tell(sink_.describe());
    }
    std::size_t poll(std::size_t max) override {
        auto const fed = job_.poll(max);
        if (fed != 0) version_->tell(sink_.describe());
        return fed;
    }
    void save_snapshot() override { job_.save_snapshot(); }
    std::uint64_t lag() override {
        std::uint64_t sum = 0;
        job_.each_position([&](std::string_view, auto const& log, std::uint32_t p, std::uint64_t next) {
            if (auto const end = log.end_offset(p); next < end) sum += end - next;
        });
        return sum;
    }
    build const& about() override { return sink_.describe(); }
    built_version<View>& version() override { return *version_; }

private:
    static stream mode_in(std::string const& folder, build_place<K, V, View> const& at) {
        auto mode = at.mode;
        mode.snapshots = folder;
        mode.snapshot_options.job = build_job_name;
        mode.snapshot_options.logic_version = at.about.logic_version;
        mode.snapshot_options.files = at.files;
        return mode;
    }
    void describe(build& about) {
        std::size_t at = 0;
        job_.each_position(
            [&]<class Log>(std::string_view input, Log const& log, std::uint32_t p, std::uint64_t next) {
                if (about.inputs.size() <= at) {  // later the log may begin further on: it was read from here
                    about.inputs.emplace_back();
                    about.inputs.back().begin = log.begin_offset(p);
                }
                auto& into = about.inputs[at++];
                into.input = input;
                if constexpr (requires { to_string(log.id()); }) into.log = to_string(log.id());
                into.schema = schema_id_of<typename Log::value_type>();
                into.partition = p;
                into.offset = next;
            });
        auto const books = job_.books();
        about.records = books.records;
        about.failures = books.failures;
        about.refused = 0;
        for (auto const& each : books.stages) about.refused += each.refusals();
    }
};

template <class K, class V, class View, class P, class... Inputs>
class typed_build_definition final : public build_definition<K, V, View> {
    using input_partition = typename build_definition<K, V, View>::input_partition;
    template <class X>
    using log_of = typename definition_input<X>::log;

    P pipeline_;
    std::tuple<log_of<Inputs> const*...> logs_;

public:
    typed_build_definition(std::string name, P pipeline, log_of<Inputs> const&... logs)
        : pipeline_(std::move(pipeline)), logs_(&logs...) {
        this->logic_version = std::move(name);
        this->fingerprint = driftless::fingerprint(pipeline_);
    }
    std::unique_ptr<build_job<K, V, View>> open(build_place<K, V, View> at) const override {
        return open(std::move(at), std::index_sequence_for<Inputs...>{});
    }
    std::vector<input_partition> partitions() const override {
        std::vector<input_partition> out;
        std::uint32_t input = 0;
        std::apply([&](auto const*... log) { (list(out, input++, *log), ...); }, logs_);
        return out;
    }
    correction_reach reach(event_time from) const override { return reach_of(pipeline_, from); }

private:
    template <std::size_t... I>
    std::unique_ptr<build_job<K, V, View>> open(build_place<K, V, View> at, std::index_sequence<I...>) const {
        at.about.fingerprint = this->fingerprint;
        at.about.row_schema = schema_id(schema_of<K>() + schema_of<V>());
        auto const starts = at.starts;
        using typed = typed_build_job<K, V, View, P,
            decltype(definition_input<Inputs>::from(*std::get<I>(logs_), {}))...>;
        return std::make_unique<typed>(std::move(at), pipeline_,
            definition_input<Inputs>::from(*std::get<I>(logs_), offsets_of(starts, static_cast<std::uint32_t>(I)))...);
    }
    static std::vector<std::uint64_t> offsets_of(std::vector<start_offset> const& starts, std::uint32_t input) {
        std::vector<std::uint64_t> out;
        for (auto const& each : starts) {
            if (each.input != input) continue;
            if (out.size() <= each.partition) out.resize(each.partition + 1);
            out[each.partition] = each.offset;
        }
        return out;
    }
    template <class Log>
    static void list(std::vector<input_partition>& out, std::uint32_t input, Log const& log) {
        for (std::uint32_t p = 0; p < log.partitions(); ++p) {
            input_partition one{input, p, log.begin_offset(p), log.end_offset(p), {}, {}};
            if constexpr (requires { to_string(log.id()); }) one.log = to_string(log.id());
            if constexpr (requires { log.offset_at(event_time{}, p); }) {
                one.offset_at = [&log, p](event_time time) { return log.offset_at(time, p); };
            }
            out.push_back(std::move(one));
        }
    }
};
}  // namespace driftless::inline v0::detail
#endif
