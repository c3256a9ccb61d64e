// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_STATE_MAP_STATE_HPP
#define DRIFTLESS_STATE_MAP_STATE_HPP

#include <driftless/codec/map.hpp>
#include <driftless/state/keyed_state.hpp>

#include <cstddef>
#include <map>

namespace driftless::inline v0 {

/// Values by key, in the order of the keys.
template <class K, class V, class Ttl = for_ever>
class map_state : public detail::last_update<Ttl> {
    std::map<K, V> all_{};

public:
    using is_keyed_state = void;

    /// The value of a key, made if there is none.
    [[nodiscard]] V& operator[](K const& key) {
        this->touch();
        return all_[key];
    }
    [[nodiscard]] V const* find(K const& key) const noexcept {
        auto const found = all_.find(key);
        return found == all_.end() ? nullptr : &found->second;
    }
    bool erase(K const& key) { return all_.erase(key) != 0; }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return all_.begin(); }
    [[nodiscard]] auto end() const noexcept { return all_.end(); }
    void reset() noexcept {
        all_.clear();
        this->forget_update();
    }

    void save(auto& out) const {
        out.write(all_);
        this->save_update(out);
    }
    void load(auto& in) {
        in.read(all_);
        this->load_update(in);
    }
};
}  // namespace driftless::inline v0
#endif
