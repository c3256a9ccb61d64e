// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_GRAPH_BUILDER_HPP
#define DRIFTLESS_RUN_DETAIL_GRAPH_BUILDER_HPP

#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/services.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/run/detail/bindings.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {
/// Things of any type at stable addresses, destroyed in reverse order.
class owned_nodes {
    struct node {
        void* object;
        void (*destroy)(void*);
    };
    growing_array<node> nodes_;

public:
    owned_nodes() = default;
    owned_nodes(owned_nodes const&) = delete;
    owned_nodes& operator=(owned_nodes const&) = delete;
    ~owned_nodes() {
        while (!nodes_.empty()) {
            nodes_.back().destroy(nodes_.back().object);
            nodes_.pop_back();
        }
    }
    template <class Node, class... Args>
    Node* make(Args&&... args) {
        nodes_.reserve(nodes_.size() + 1);
        auto* const made = new Node(std::forward<Args>(args)...);
        nodes_.push_back({made, [](void* object) { delete static_cast<Node*>(object); }});
        return made;
    }
};

/// How two pipelines of one type are told apart: run/fingerprint.hpp.
template <class P>
struct fingerprint_comparison;

/// What stages ask for while they are made.
template <class Args>
class graph_builder;
template <class... Args>
class graph_builder<std::tuple<Args...>> {
    run_services* services_;
    owned_nodes* nodes_;
    std::tuple<Args...>* args_;

public:
    graph_builder(run_services* services, owned_nodes* nodes, std::tuple<Args...>* args)
        : services_(services), nodes_(nodes), args_(args) {}

    [[nodiscard]] run_services* services() const noexcept { return services_; }
    /// The same for stages that are lent other services.
    [[nodiscard]] graph_builder with(run_services* services) const noexcept { return {services, nodes_, args_}; }
    template <class Node, class... NodeArgs>
    Node* own(NodeArgs&&... args) {
        return nodes_->template make<Node>(std::forward<NodeArgs>(args)...);
    }
    template <class Name, class In>
    auto side_output() const {
        constexpr auto position = position_of<Name, Args...>();
        static_assert(position != absent,
            "driftless: nothing is bound to the name of a side output (late_to, divert_to): pass "
            "bind(\"...\"_name, sink) to run");
        if constexpr (position != absent) {
            auto& sink = std::get<position>(*args_).target;
            static_assert(!std::is_const_v<std::remove_reference_t<decltype(sink)>>,
                "driftless: a sink is written to: bind one that is not const");
            return sink_stage<std::remove_cvref_t<decltype(sink)>, In>{&sink};
        } else {
            return nowhere{};
        }
    }
    template <class P>
    void require_same(P const& a, P const& b) const {
        constexpr bool included = requires { sizeof(fingerprint_comparison<P>); };
        static_assert(included,
            "driftless: a share that is used twice needs fingerprints: #include <driftless/run/fingerprint.hpp> (or "
            "<driftless/driftless.hpp>)");
        if constexpr (included) fingerprint_comparison<P>::require_same(a, b);
    }
};
}  // namespace driftless::inline v0::detail
#endif
