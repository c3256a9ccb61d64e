// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_OP_DETAIL_SESSION_STATE_HPP
#define DRIFTLESS_OP_DETAIL_SESSION_STATE_HPP

#include <driftless/agg/function.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/key_bytes.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/core/detail/growing_array.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace driftless::inline v0::detail {

/// The state of a session whose parts can be put together in any order.
template <class Pack>
class combined_state {
public:
    typename Pack::state state;

    explicit combined_state(Pack const& pack) : state(pack.init()) {}
    template <class T>
    DRIFTLESS_INLINE void add(Pack const& pack, T const& record, std::uint64_t) {
        pack.add(state, record);
    }
    void take(Pack const& pack, combined_state const& other) { pack.combine(state, other.state); }
    [[nodiscard]] static constexpr std::uint64_t next_place() noexcept { return 0; }
    [[nodiscard]] static constexpr std::size_t bytes() noexcept { return 0; }
    void save(auto& out) const { Pack::save(state, out); }
    void load(auto& in) { Pack::load(state, in); }
};

/// The state of a session over functions that take their records in log order: two sessions that become one may have
/// taken theirs in turns, so the records are kept and taken again, in order.
template <class Pack>
class replayed_state {
    using record_type = typename Pack::record_type;
    std::string records_;        // (place in the log of the key, record), in that order
    std::uint64_t next_place_ = 0;  // behind the last of them

public:
    typename Pack::state state;

    explicit replayed_state(Pack const& pack) : state(pack.init()) {}
    void add(Pack const& pack, record_type const& record, std::uint64_t place) {
        pack.add(state, record);
        append(record, place);
    }
    void take(Pack const& pack, replayed_state const& other) {
        replayed_state merged{pack};
        reader mine{records_};
        reader theirs{other.records_};
        while (mine.next || theirs.next) {
            bool const first = mine.next && (!theirs.next || theirs.place > mine.place);
            reader& from = first ? mine : theirs;
            merged.add(pack, *from.next, from.place);
            from.advance();
        }
        *this = std::move(merged);
    }
    /// A place behind all records of this session.
    [[nodiscard]] std::uint64_t next_place() const noexcept { return next_place_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return records_.size(); }
    void save(auto& out) const {
        Pack::save(state, out);
        out.write(next_place_);
        out.write(records_);
    }
    void load(auto& in) {
        Pack::load(state, in);
        in.read(next_place_);
        in.read(records_);
    }

private:
    void append(record_type const& record, std::uint64_t place) {
        byte_writer out{records_};
        out.put_varint(place);
        out.write(record);
        next_place_ = place + 1;
    }
    struct reader {
        byte_reader in;
        std::uint64_t place = 0;
        std::optional<record_type> next{};  // its text points into the bytes

        explicit reader(std::string const& bytes) : in(bytes) { advance(); }
        void advance() {
            next.reset();
            if (in.remaining() == 0) return;
            place = in.get_varint();
            next.emplace();
            in.read(*next);
        }
    };
};

template <class Pack>
inline constexpr bool replays_records = Pack::combines != combine_class::exact;
template <class Pack>
using session_state = typename std::conditional_t<replays_records<Pack>, std::type_identity<replayed_state<Pack>>,
    std::type_identity<combined_state<Pack>>>::type;

/// A key that lives as long as this does; text points into bytes of its own. Does not move.
template <class Key>
class kept_key {
    struct nothing {};
    [[no_unique_address]] std::conditional_t<has_text<Key>, std::string, nothing> bytes_;
    Key key_{};

public:
    kept_key() = default;
    kept_key(kept_key const&) = delete;
    kept_key& operator=(kept_key const&) = delete;
    void set(Key const& key) {
        if constexpr (has_text<Key>) {
            bytes_.clear();
            byte_writer{bytes_}.write(key);
            byte_reader in{bytes_};
            in.read(key_);
        } else {
            key_ = key;
        }
    }
    [[nodiscard]] Key const& get() const noexcept { return key_; }
};
template <>
class kept_key<unkeyed> {
public:
    void set(unkeyed) noexcept {}
    [[nodiscard]] static constexpr unkeyed get() noexcept { return {}; }
};

/// One session of one key, at a fixed address.
template <class Pack, class Key>
struct session_node {
    time_window window{};
    session_state<Pack> kept;
    session_node* earlier = nullptr;  // the session of the same key before this one
    std::uint64_t hash = 0;
    event_time armed = event_time::min();  // the least time under which it stands in the index; -inf: under none
    std::uint32_t entries = 0;             // how many entries of the index name it
    std::uint32_t panes = 0;               // emitted so far, parts included: the greatest of theirs
    std::uint32_t certain = 0;             // of them, those that were not early; counted with every_update{}
    bool emitted = false;                  // its row stands: the pane was emitted with this very window
    bool gone = false;                     // merged or collected; freed when the index has let go of it
    kept_key<Key> key;

    explicit session_node(Pack const& pack) : kept(pack) {}
};

/// Memory for things that stay where they are: chunks of 8 doubling to 512, all given back together.
template <class T>
class steady_pool {
    struct chunk {
        T* at;
        std::size_t size;
    };
    growing_array<chunk> chunks_;
    std::size_t used_ = 0;  // of the last
    std::size_t bytes_ = 0;

public:
    steady_pool() = default;
    steady_pool(steady_pool&& other) noexcept
        : chunks_(std::move(other.chunks_)),
          used_(std::exchange(other.used_, 0)),
          bytes_(std::exchange(other.bytes_, 0)) {}
    steady_pool& operator=(steady_pool&&) = delete;
    ~steady_pool() { release(); }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    template <class... A>
    T& make(A const&... parts) {
        if (chunks_.empty() || used_ == chunks_.back().size) add_chunk();
        T& made = *::new (static_cast<void*>(chunks_.back().at + used_)) T(parts...);
        ++used_;
        return made;
    }
    void release() noexcept {
        for (auto const& each : chunks_) {
            auto const filled = &each == &chunks_.back() ? used_ : each.size;
            for (std::size_t i = 0; i < filled; ++i) each.at[i].~T();
            ::operator delete(each.at, std::align_val_t{alignof(T)});
        }
        chunks_ = growing_array<chunk>{};
        used_ = bytes_ = 0;
    }

private:
    void add_chunk() {
        std::size_t size = chunks_.empty() ? 8 : 2 * chunks_.back().size;
        if (size > 512) size = 512;
        auto* const at = static_cast<T*>(::operator new(size * sizeof(T), std::align_val_t{alignof(T)}));
        chunks_.push_back({at, size});
        bytes_ += size * sizeof(T);
        used_ = 0;
    }
};

/// A session and the next time at which something happens to it, at the earliest.
template <class Node>
struct due_session {
    event_time due;
    Node* of;
};
struct sooner {
    template <class Node>
    bool operator()(due_session<Node> const& a, due_session<Node> const& b) const noexcept {
        return a.due < b.due;
    }
};
/// A session that fires, with what decides when.
template <class Node>
struct ready_session {
    time_window window;
    std::uint64_t hash;
    Node* of;
};
/// The order of the panes of one watermark move: windows by (end, start), then keys in canonical order.
struct fires_first {
    template <class Ready>
    bool operator()(Ready const& a, Ready const& b) const {
        if (auto const by_window = a.window <=> b.window; by_window != 0) return by_window < 0;
        if (a.hash != b.hash) return a.hash < b.hash;
        return bytes_of(*a.of) < bytes_of(*b.of);
    }

private:
    template <class Node>
    static std::string bytes_of(Node const& of) {
        std::string out;
        if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(of.key.get())>, unkeyed>)
            append_key_bytes(out, of.key.get());
        return out;
    }
};
}  // namespace driftless::inline v0::detail
#endif
