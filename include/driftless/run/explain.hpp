// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_EXPLAIN_HPP
#define DRIFTLESS_RUN_EXPLAIN_HPP

#include <driftless/core/pane.hpp>
#include <driftless/run/plan.hpp>
#include <driftless/run/properties.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// How a pipeline is drawn: for people, for Graphviz, for Mermaid.
enum class format : std::uint8_t {
    text,
    dot,
    mermaid
};

namespace detail {
/// An operator on one line: `window tumbling size=1h allowed_lateness=2h`.
inline std::string operator_text(plan_node const& node) {
    std::string out{node.kind};
    std::string_view last;
    for (auto const& [name, value] : node.parameters) {
        if (name == "offset" && value == "0s") continue;  // what everybody expects
        out += name == "function" && last == "function" ? ", " : " ";
        bool const bare = name == "name" || name == "of" || name == "windows" || name == "function";
        if (!bare) (out += name) += '=';
        if (name == "windows") out.append(value, 1, value.size() - 2);  // the quotes
        else out += value;
        last = name;
    }
    if (!node.id.empty()) (out += " id=") += plan_text(node.id);
    return out;
}

/// The rows an operator yields. The pane info of a result is the same everywhere, and left out.
inline std::string rows_text(plan_node const& node) {
    auto out = node.schema;
    auto const info = ",info:" + schema_of<pane_info>() + '}';
    if (out.size() > info.size() && out.ends_with(info)) out.replace(out.size() - info.size(), info.size(), "}");
    return node.changes ? out + " changes" : out;
}

/// True if the operator yields other rows than it takes: then they are worth a word.
inline bool makes_rows(plan const& of, plan_node const& node) {
    if (node.inputs.empty()) return true;
    auto const& in = of.nodes[node.inputs.front()];
    return in.schema != node.schema || in.changes != node.changes;
}

/// Chains from their beginning, the inputs of a merge below it, what was drawn already by its name only.
class text_drawing {
    plan const& plan_;
    std::vector<bool> drawn_;
    std::string out_;

    void line(std::size_t node, std::size_t indent) {
        auto const& it = plan_.nodes[node];
        out_.append(indent, ' ') += operator_text(it);
        if (drawn_[node]) out_ += " (as above)";
        else if (makes_rows(plan_, it)) (out_ += " : ") += rows_text(it);
        out_ += '\n';
        drawn_[node] = true;
    }
    void chain(std::size_t last, std::size_t indent) {
        std::vector<std::size_t> operators{last};
        auto const inputs = [&]() -> auto const& { return plan_.nodes[operators.back()].inputs; };
        while (!drawn_[operators.back()] && inputs().size() == 1) operators.push_back(inputs().front());
        bool const all_new = !drawn_[operators.back()];
        line(operators.back(), indent);
        if (all_new) {
            for (auto const input : inputs()) chain(input, indent + 4);
        }
        operators.pop_back();
        for (; !operators.empty(); operators.pop_back()) line(operators.back(), indent + 2);
    }

public:
    explicit text_drawing(plan const& of) : plan_(of), drawn_(of.nodes.size()) {
        if (!of.nodes.empty()) chain(of.nodes.size() - 1, 0);
        for (std::size_t i = 0; i < of.nodes.size(); ++i) {
            if (of.nodes[i].kind == "output") chain(i, 0);  // of a branch of a fork
        }
    }
    [[nodiscard]] std::string take() { return std::move(out_); }
};

inline std::string replaced(std::string_view text, char from, std::string_view to) {
    std::string out;
    for (char const c : text) {
        if (c == from) out += to;
        else out += c;
    }
    return out;
}
inline std::string dot_text(std::string_view text) { return replaced(replaced(text, '\\', "\\\\"), '"', "\\\""); }
/// Mermaid reads markup inside quoted labels too; entities are written #name;.
inline std::string mermaid_text(std::string_view text) {
    return replaced(replaced(replaced(replaced(text, '#', "#35;"), '"', "#quot;"), '<', "#lt;"), '>', "#gt;");
}

inline std::string dot_drawing(plan const& of, std::string_view properties) {
    std::string out = "digraph pipeline {\n    node [shape=box];\n    label=\"" + dot_text(properties) + "\";\n";
    for (std::size_t i = 0; i < of.nodes.size(); ++i) {
        auto const& node = of.nodes[i];
        auto const rows = makes_rows(of, node) ? "\\n" + dot_text(rows_text(node)) : std::string{};
        out += "    n" + std::to_string(i) + " [label=\"" + dot_text(operator_text(node)) + rows + "\"];\n";
        for (auto const input : node.inputs) {
            out += "    n" + std::to_string(input) + " -> n" + std::to_string(i)
                + (of.nodes[input].changes ? " [style=dashed];\n" : ";\n");
        }
    }
    return out + "}\n";
}

inline std::string mermaid_drawing(plan const& of, std::string_view properties) {
    std::string out = "flowchart TD\n";
    for (std::size_t i = 0; i < of.nodes.size(); ++i) {
        auto const& node = of.nodes[i];
        auto const rows = makes_rows(of, node) ? "<br>" + mermaid_text(rows_text(node)) : std::string{};
        out += "    n" + std::to_string(i) + "[\"" + mermaid_text(operator_text(node)) + rows + "\"]\n";
        for (auto const input : node.inputs) {
            out += "    n" + std::to_string(input) + (of.nodes[input].changes ? " -.-> n" : " --> n")
                + std::to_string(i) + '\n';
        }
    }
    return (out += "    %% ").append(properties) += '\n';
}

template <class P>
std::string properties_text() {
    auto const said = [](bool holds) { return holds ? "yes" : "no"; };
    std::string out = "properties: replayable=";
    ((out += said(is_replayable<P>)) += " order_free=") += said(is_order_free<P>);
    ((out += " single_pane=") += said(single_pane<P>)) += " state=";
    ((out += to_string(state_bound<P>)) += " lambda_additive=") += said(lambda_additive<P>);
    return out;
}
}  // namespace detail

/// Says what a pipeline does, one line per operator in the order of the code.
///
/// Shape       pipeline -> text: kind, parameters with their units, id, and where they change the rows it yields.
///             The inputs of a merge stand indented below it; a share or a source that was shown is named again,
///             `(as above)`. The last line tells the properties of the pipeline. With format::dot a graph for
///             Graphviz, with format::mermaid a flowchart; dashed where rows are changes.
/// Errors      None; empty for an ill-formed pipeline.
/// Complexity  Linear in the operators.
/// Example     examples/count_events.cpp
template <pipeline P>
[[nodiscard]] std::string explain(P const& p, format as = format::text) {
    if constexpr (is_ill_formed<P>) {
        return {};
    } else {
        auto const graph = plan_of(p);
        auto const properties = detail::properties_text<P>();
        switch (as) {
            case format::dot: return detail::dot_drawing(graph, properties);
            case format::mermaid: return detail::mermaid_drawing(graph, properties);
            case format::text: break;
        }
        return detail::text_drawing{graph}.take() + properties + '\n';
    }
}
}  // namespace driftless::inline v0
#endif
