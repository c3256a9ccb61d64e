// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_IO_INTO_HPP
#define DRIFTLESS_IO_INTO_HPP

#include <driftless/codec/owned.hpp>
#include <driftless/core/pane.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace driftless::inline v0 {

/// What into() makes: a sink that appends to a log or a container.
template <class Target>
class append_sink {
    Target* target_;
    using element = typename Target::value_type;

    template <class T>
    void add(T const& row) {
        if constexpr (requires { target_->append(row); }) target_->append(row);
        else target_->push_back(to_owned(row));
    }

public:
    explicit append_sink(Target& target) : target_(&target) {}

    /// A pane as a whole where the target holds panes, its value where it holds values.
    template <class Key, class Value>
    void write(pane<Key, Value> const& row) {
        if constexpr (is_pane<element>) {
            add(row);
        } else {
            static_assert(std::same_as<element, Value> || std::same_as<element, owned_t<Value>>,
                "driftless: into(target) needs a target of pane<Key, Value> or of Value: name the type that "
                "the pipeline yields");
            add(row.value);
        }
    }
    template <class T>
        requires std::same_as<element, T> || std::same_as<element, owned_t<T>>
    void write_record(T const& record) {
        add(record);
    }
};

/// Appends what a pipeline yields to a log or a container: into(log), into(vector).
///
/// Shape       Plain records as they are; of panes the value, or the whole pane where the target holds panes.
///             Append-only: a pipeline that takes rows back needs a sink with remove.
/// State       Borrows the target. A log copies text, a container gets owned_t of the row.
/// Delivery    At least once: after a restart rows may be appended again.
template <class Target>
append_sink<Target> into(Target& target) {
    return append_sink<Target>{target};
}
}  // namespace driftless::inline v0
#endif
