// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_VIEW_ROOT_HPP
#define DRIFTLESS_VIEW_DETAIL_VIEW_ROOT_HPP

#include <driftless/core/time.hpp>
#include <driftless/view/detail/block_pool.hpp>
#include <driftless/view/detail/readers.hpp>
#include <driftless/view/served_at.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// What all versions of views have in common: which one it is, and who holds it.
struct version_root {
    served_at at;
    std::atomic<std::int64_t> confirmed_ns{0};  // the last time at which nothing had changed since
    mutable std::atomic<std::uint32_t> holds{0};
    std::atomic<version_root*> before{nullptr};  // the last version before it that history keeps

    // Of the writer:
    std::uint64_t stamp = 0;
    std::vector<retired_block> leaves;  // what the next version does not have any more
};

/// Holds a version: it stays for as long as somebody does.
class version_hold {
    version_root const* root_ = nullptr;

public:
    version_hold() = default;
    /// The caller reads, or holds it already.
    explicit version_hold(version_root const* root) noexcept : root_(root) {
        root_->holds.fetch_add(1, std::memory_order_relaxed);
    }
    version_hold(version_hold const& other) noexcept : root_(other.root_) {
        if (root_ != nullptr) root_->holds.fetch_add(1, std::memory_order_relaxed);
    }
    version_hold(version_hold&& other) noexcept : root_(std::exchange(other.root_, nullptr)) {}
    version_hold& operator=(version_hold other) noexcept {
        std::swap(root_, other.root_);
        return *this;
    }
    ~version_hold() {
        if (root_ != nullptr) root_->holds.fetch_sub(1, std::memory_order_release);
    }
    [[nodiscard]] version_root const* root() const noexcept { return root_; }
};

/// The versions of a view: the one that is served, and those before it that somebody may still read.
///
/// Root        Derives from version_root.
/// Threads     The writer publishes; current() may be asked by anybody, while reading.
/// Errors      What throws for want of memory leaves the versions as they were.
/// Complexity  publish() is O(1); collect() O(versions that wait for readers, and what can be dropped).
template <class Root>
class version_list {
    static constexpr std::size_t enough_to_look = 4;

    std::atomic<Root*> current_{nullptr};
    std::vector<Root*> before_;  // by version: those that go when nobody holds them
    std::deque<Root*> kept_;     // by version: those that history keeps
    std::vector<Root*> spare_;

public:
    version_list() = default;
    version_list(version_list const&) = delete;
    version_list& operator=(version_list const&) = delete;
    ~version_list() {
        for (auto* const each : before_) delete each;
        for (auto* const each : kept_) delete each;
        for (auto* const each : spare_) delete each;
        delete current_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] Root* current() const noexcept { return current_.load(std::memory_order_seq_cst); }
    /// How many versions are kept for readers, the current one not counted.
    [[nodiscard]] std::size_t held() const noexcept { return before_.size(); }
    /// Those that history keeps, oldest first, the current one not counted.
    [[nodiscard]] std::deque<Root*> const& history() const noexcept { return kept_; }
    /// A root to fill, and room to publish it.
    [[nodiscard]] Root* fresh() {
        before_.reserve(roomy(before_.size() + 1));
        spare_.reserve(roomy(before_.size() + spare_.size() + 2));
        if (spare_.empty()) return new Root;
        auto* const out = spare_.back();
        spare_.pop_back();
        return out;
    }
    /// `next`, which fresh() has given, is served from now on; `left` is what it does not have any more of the one
    /// before, which history keeps or does not.
    void publish(Root* next, std::vector<retired_block>& left, bool keep_last) {
        auto* const last = current_.load(std::memory_order_relaxed);
        if (keep_last) kept_.push_back(last);  // the only thing that may fail
        if (last != nullptr) {
            last->leaves.swap(left);
            auto* const kept = keep_last ? last : last->before.load(std::memory_order_relaxed);
            next->before.store(kept, std::memory_order_relaxed);
        }
        current_.store(next, std::memory_order_seq_cst);
        if (last == nullptr) return;
        last->stamp = all_readers.stamp();
        if (!keep_last) before_.push_back(last);
    }
    /// Drops what nobody can see any more, if there is enough to look at: drop(block) is called for each block.
    template <class Drop>
    void collect_some(Drop const& drop) {
        if (before_.size() >= enough_to_look) collect(drop);
    }
    /// History keeps its n oldest versions no longer.
    void forget_oldest(std::size_t n) {
        if (n == 0) return;
        before_.reserve(roomy(before_.size() + n));
        spare_.reserve(roomy(before_.size() + n + spare_.size() + 2));
        auto* const next = n < kept_.size() ? kept_[n] : current();
        next->before.store(nullptr, std::memory_order_release);
        auto const stamp = all_readers.stamp();  // somebody may be on the way to them
        for (std::size_t i = 0; i < n; ++i) kept_[i]->stamp = stamp;
        before_.insert(before_.end(), kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(n));
        std::sort(before_.begin(), before_.end(),
            [](Root const* x, Root const* y) { return x->at.version < y->at.version; });
        kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(n));
    }
    /// Drops what nobody can see any more.
    template <class Drop>
    void collect(Drop const& drop) {
        if (before_.empty()) return;
        auto const oldest = all_readers.oldest();
        for (std::size_t i = before_.size(); i-- > 0;) {
            auto* const each = before_[i];
            if (each->stamp >= oldest || each->holds.load(std::memory_order_acquire) != 0) continue;
            auto* const earlier = one_before(i);
            for (auto& blocks = each->leaves; !blocks.empty(); blocks.pop_back()) {
                auto const block = blocks.back();
                if (earlier != nullptr && block.born <= earlier->at.version) earlier->leaves.push_back(block);
                else drop(block);
            }
            spare_.push_back(each);
            before_.erase(before_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    /// No reader is left.
    template <class Drop>
    void drop_all(Drop const& drop) {
        auto const leave = [&](Root* each) {
            for (auto const& block : each->leaves) drop(block);
            each->leaves.clear();
        };
        for (auto* const each : before_) leave(each);
        for (auto* const each : kept_) leave(each);
    }

private:
    /// A capacity for so many that grows by doubling.
    [[nodiscard]] static std::size_t roomy(std::size_t n) noexcept { return std::bit_ceil(n); }
    /// The version before before_[i] that is still there.
    [[nodiscard]] Root* one_before(std::size_t i) const noexcept {
        auto* const near = i == 0 ? nullptr : before_[i - 1];
        auto const at = std::lower_bound(kept_.begin(), kept_.end(), before_[i],
            [](Root const* a, Root const* b) { return a->at.version < b->at.version; });
        if (at == kept_.begin()) return near;
        auto* const kept = *(at - 1);
        return near == nullptr || near->at.version < kept->at.version ? kept : near;
    }
};
}  // namespace driftless::inline v0::detail
#endif
