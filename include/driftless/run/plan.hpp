// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_PLAN_HPP
#define DRIFTLESS_RUN_PLAN_HPP

#include <driftless/codec/schema.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/projection.hpp>
#include <driftless/run/detail/graph.hpp>
#include <driftless/run/detail/plan_text.hpp>
#include <driftless/state/bound.hpp>
#include <driftless/state/storage.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// A parameter of an operator, as text: durations with their largest exact unit, numbers as they are,
/// names in quotes.
struct plan_parameter {
    std::string name;
    std::string value;

    friend bool operator==(plan_parameter const&, plan_parameter const&) = default;
};

/// Whether rows have a window: none yet; the next stateful operator assigns one; they carry one.
enum class plan_windows : std::uint8_t {
    none,
    assigned,
    carried
};

/// One operator of a plan, and the stream it yields.
struct plan_node {
    std::string_view kind;  ///< "filter"
    std::string_view id;    ///< what the user named it with .id(); may be empty
    std::vector<plan_parameter> parameters;
    std::vector<std::size_t> inputs;  ///< positions in plan::nodes, each before this one's
    std::string schema;               ///< of the rows: schema_of
    std::string key;                  ///< schema_of the key; empty without one
    plan_windows windows = plan_windows::none;
    bool timed = false;
    bool changes = false;  ///< rows are changes (old, new), not records

    friend bool operator==(plan_node const&, plan_node const&) = default;
};

/// A pipeline as a graph of values: what explain and fingerprints are made from.
///
/// Every operator comes after its inputs, the last one yields the result. A share, and a source with a
/// name, is one node however often it is used.
struct plan {
    std::vector<plan_node> nodes;

    friend bool operator==(plan const&, plan const&) = default;
};

namespace detail {
struct itself;
template <class... Projections>
class key_function;

/// What describe() is called with.
struct parameter_writer {
    std::vector<plan_parameter>& out;

    template <class V>
    void operator()(std::string_view name, V const& value) const {
        static_assert(plan_value<V>,
            "driftless: describe(parameter) takes a duration, an event_time, an integer or a text: write "
            "parameter(\"bound\", value)");
        if constexpr (plan_value<V>) text(name, plan_text(value));
    }
    /// `allowed lateness` and `allowed_lateness` are one name.
    void text(std::string_view name, std::string value) const {
        out.push_back({std::string{name}, std::move(value)});
        for (auto& c : out.back().name) c = c == ' ' ? '_' : c;
    }
};

/// The name of the member of Record that `projection` refers to; "member" where Record does not tell.
template <class Record, class Projection>
std::string member_text(Projection const& projection) {
    std::string found;
    if constexpr (has_parts<Record> && std::is_default_constructible_v<Record>) {
        Record const sample{};
        auto const& read = projection(sample);
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            auto const look = [&]<std::size_t Index>() {
                if constexpr (std::same_as<part_t<Index, Record>, std::remove_cvref_t<decltype(read)>>) {
                    if (static_cast<void const*>(&part<Index>(sample)) == static_cast<void const*>(&read)) {
                        found = field_name<Index, Record>();
                    }
                }
            };
            (look.template operator()<I>(), ...);
        }(std::make_index_sequence<part_count<Record>>{});
    }
    return found.empty() ? "member" : found;
}

template <class F>
inline constexpr bool reads_member = names_member<F>;
template <class Object, class M>
inline constexpr bool reads_member<pointer_projection<Object, M>> = true;

/// What an operator reads of its records: a member by name, or "function".
template <class Record, class F>
std::string projection_text(F const& f) {
    if constexpr (reads_member<F>) return member_text<Record>(f);
    else return "function";
}
template <class Record, class... F>
std::string projection_text(key_function<F...> const& all) {
    std::string out;
    auto const add = [&](std::string const& text) { (out += out.empty() ? "" : ", ") += text; };
    std::apply([&](F const&... each) { (add(projection_text<Record>(each)), ...); }, all.projections());
    return out;
}

/// What rows are ranked by: something of the row or, where an aggregate made it, of its value.
template <class Record, class F>
std::string measure_text(F const& f) {
    if constexpr (projects<F, Record>) return projection_text<Record>(f);
    else return projection_text<decltype(Record::value)>(f);
}

/// count, sum(cents), or whatever an aggregate function says about itself.
template <class Record, class A>
std::string function_text(A const& function) {
    std::string inner;
    auto const add = [&](std::string_view text) { (inner += inner.empty() ? "" : ", ") += text; };
    if constexpr (requires { function.by; }) add(projection_text<Record>(function.by));
    if constexpr (requires { function.of; }) {
        using projection = std::remove_cvref_t<decltype(function.of)>;
        if constexpr (!std::same_as<projection, itself>) add(projection_text<Record>(function.of));
    }
    std::vector<plan_parameter> own;
    if constexpr (requires { function.describe(parameter_writer{own}); }) function.describe(parameter_writer{own});
    for (auto const& each : own) add(each.name + '=' + each.value);
    std::string out;
    if constexpr (requires { A::kind; }) out = A::kind;
    else out = "aggregate";
    return inner.empty() ? out : out + '(' + inner + ')';
}

/// The parameters of an operator over records of type Record (void for what begins a pipeline).
template <class Record, class Op>
void describe_operator(Op const& op, parameter_writer out) {
    if constexpr (requires { typename Op::functions; }) {
        auto const one = [&]<class A>(A const& each) {
            if constexpr (std::same_as<A, max_keys>) out("max_keys", each.count);
            else if constexpr (std::same_as<A, unbounded_state>) out("unbounded_state", true);
            else if constexpr (!storage_option<A>) out.text("function", function_text<Record>(each));
        };
        std::apply([&](auto const&... each) { (one(each), ...); }, op.parameters);
    } else {
        if constexpr (requires { op.key_of; }) out.text("of", projection_text<Record>(op.key_of));
        if constexpr (requires { op.ranked_by.of; }) out.text("by", measure_text<Record>(op.ranked_by.of));
        if constexpr (requires { typename Op::time_function; }) {
            // Without a function, records keep the time they came with.
            if constexpr (requires { op.time_of(std::declval<Record const&>()); }) {
                out.text("of", projection_text<Record>(op.time_of));
            }
            if constexpr (requires { op.strategy.mark_of; }) {
                out.text("mark", projection_text<Record>(op.strategy.mark_of));
            }
            if constexpr (requires { op.guard().from; }) out.text("guard", projection_text<Record>(op.guard().from));
        }
        if constexpr (requires { op.describe(out); }) op.describe(out);
    }
}

/// What a stream is, said of the operator that yields it.
template <class Stream>
void describe_stream(plan_node& node) {
    using window = typename Stream::window;
    node.schema = schema_of<typename Stream::record>();
    if constexpr (keyed<Stream>) node.key = schema_of<typename Stream::key>();
    node.windows = window::carried ? plan_windows::carried
        : window::assigned         ? plan_windows::assigned
                                   : plan_windows::none;
    node.timed = Stream::timed;
    node.changes = changelog<Stream>;
}

class plan_builder {
    struct joined {
        bool share;
        std::string_view name;
        std::size_t node;
    };
    plan& out_;
    std::vector<joined> joined_;

public:
    explicit plan_builder(plan& out) : out_(out) {}

    /// The position of P's last operator.
    template <class P>
    std::size_t add(P const& p) {
        using op = typename P::op_type;
        constexpr bool share = ends_in_share<P>;
        constexpr std::string_view name = [] {
            if constexpr (ends_in_share<P>) return op::share_name::value;
            else if constexpr (requires { op::name_type::value; }) return op::name_type::value;
            else return std::string_view{};
        }();
        for (auto const& each : joined_) {
            if (each.share == share && !name.empty() && each.name == name) return each.node;
        }
        plan_node node;
        node.kind = op::kind;
        node.id = id_of<op>::type::value;
        if constexpr (begins_with_fan_in<P>) {
            std::apply([&](auto const&... input) { (node.inputs.push_back(add(input)), ...); }, p.op.inputs);
            describe_operator<void>(p.op, parameter_writer{node.parameters});
        } else if constexpr (is_root<P>) {
            describe_operator<void>(p.op, parameter_writer{node.parameters});
        } else {
            node.inputs.push_back(add(p.prev));
            if constexpr (requires { typename op::is_fork; }) add_branches(p, node.inputs.back());
            describe_operator<typename P::input_t::record>(p.op, parameter_writer{node.parameters});
        }
        describe_stream<typename P::output>(node);
        out_.nodes.push_back(std::move(node));
        if (!name.empty()) joined_.push_back({share, name, out_.nodes.size() - 1});
        return out_.nodes.size() - 1;
    }

private:
    /// The operators of each branch of a fork, from what stands before it on, and the output they lead to.
    template <class P>
    void add_branches(P const& p, std::size_t from) {
        p.op.each_branch(p.prev, [&]<class Branch>(Branch const& branch, std::string_view name) {
            plan_node node;
            node.kind = "output";
            node.inputs.push_back(add_branch<typename P::prev_type>(branch, from));
            parameter_writer{node.parameters}("name", name);
            describe_stream<typename Branch::output>(node);
            out_.nodes.push_back(std::move(node));
        });
    }
    template <class Begin, class P>
    std::size_t add_branch(P const& p, std::size_t from) {
        if constexpr (std::is_same_v<P, Begin>) {
            return from;
        } else {
            using op = typename P::op_type;
            plan_node node;
            node.kind = op::kind;
            node.id = id_of<op>::type::value;
            node.inputs.push_back(add_branch<Begin>(p.prev, from));
            if constexpr (requires { typename op::is_fork; }) add_branches(p, node.inputs.back());
            describe_operator<typename P::input_t::record>(p.op, parameter_writer{node.parameters});
            describe_stream<typename P::output>(node);
            out_.nodes.push_back(std::move(node));
            return out_.nodes.size() - 1;
        }
    }
};
}  // namespace detail

/// The graph of a pipeline, as values.
///
/// Shape       pipeline -> plan: its operators, each after its inputs; kinds, ids, parameters, schemas.
/// Errors      None; of shares with one name and other parameters the first is shown (run refuses them).
///             The plan of an ill-formed pipeline is empty.
/// Complexity  Linear in the operators; meant for start-up and for people.
template <pipeline P>
[[nodiscard]] plan plan_of(P const& p) {
    plan out;
    if constexpr (!is_ill_formed<P>) detail::plan_builder{out}.add(p);
    return out;
}
}  // namespace driftless::inline v0
#endif
