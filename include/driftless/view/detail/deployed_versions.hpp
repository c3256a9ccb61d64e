// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_DEPLOYED_VERSIONS_HPP
#define DRIFTLESS_VIEW_DETAIL_DEPLOYED_VERSIONS_HPP

#include <driftless/view/deployment_options.hpp>
#include <driftless/view/versioned_view.hpp>

#include <string>
#include <utility>

namespace driftless::inline v0::detail {
/// The versions of a deployment: what it changes itself.
template <class K, class V, class View>
class deployed_versions : public versioned_view<K, V, View> {
    using base = versioned_view<K, V, View>;

public:
    deployed_versions(std::string in, deployment_options const& how)
        : base(std::move(in),
              {.keep = how.keep,
                  .git_hash = how.git_hash,
                  .files = how.files,
                  .clock = how.clock,
                  .rows = how.rows},
              false) {}
    using base::add;
    using base::beyond_keep;
    using base::certifies_anew;
    using base::change;
    using base::collect;
    using base::files;
    using base::folder_of;
    using base::forget;
    using base::list;
    using base::make_folder;
    using base::now;
    using base::set_current;
    using base::show;
    using base::unload;
    using base::write;
};
}  // namespace driftless::inline v0::detail
#endif
