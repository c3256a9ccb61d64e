// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_BUILD_DEFINITIONS_HPP
#define DRIFTLESS_VIEW_DETAIL_BUILD_DEFINITIONS_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/log/detail/plain_name.hpp>
#include <driftless/view/detail/build_job.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The logics that a program knows, by their names.
template <class K, class V, class View>
class build_definitions {
    using definition = build_definition<K, V, View>;
    std::vector<std::unique_ptr<definition>> all_;

public:
    /// Errors      invalid_argument where the name is no plain one, or stands for a logic already.
    template <class P, class... Inputs>
    void add(std::string_view name, std::string const& folder, P const& pipeline, Inputs&... inputs) {
        require_plain_name(name, folder);
        if (find(name) != nullptr) {
            throw error{error_code::invalid_argument,
                sentence({"`", name, "` is defined twice: a name stands for one logic"}), folder};
        }
        using made = typed_build_definition<K, V, View, P, std::remove_cvref_t<Inputs>...>;
        all_.push_back(std::make_unique<made>(
            std::string{name}, pipeline, definition_input<std::remove_cvref_t<Inputs>>::of(inputs)...));
    }
    /// Errors      invalid_argument where there is none of that name.
    [[nodiscard]] definition const& at(std::string_view name, std::string const& folder) const {
        if (auto const* const found = find(name)) return *found;
        throw error{error_code::invalid_argument,
            sentence({"`", name,
                "` is not defined in this program: define() every logic that is in use, and the new one"}),
            folder};
    }

private:
    [[nodiscard]] definition const* find(std::string_view name) const {
        for (auto const& each : all_) {
            if (each->logic_version == name) return each.get();
        }
        return nullptr;
    }
};
}  // namespace driftless::inline v0::detail
#endif
