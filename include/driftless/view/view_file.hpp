// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_VIEW_FILE_HPP
#define DRIFTLESS_VIEW_VIEW_FILE_HPP

#include <driftless/codec/bytes.hpp>
#include <driftless/codec/checksum.hpp>
#include <driftless/codec/codec.hpp>
#include <driftless/codec/owned.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/core/error.hpp>
#include <driftless/core/pane.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/file/whole_file.hpp>
#include <driftless/state/table_entries.hpp>
#include <driftless/view/detail/names_erased.hpp>
#include <driftless/view/detail/served_at_bytes.hpp>
#include <driftless/view/detail/stored_row.hpp>
#include <driftless/view/served_at.hpp>
#include <driftless/view/view_rows.hpp>
#include <driftless/view/view_snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// A view for readers in other processes: one state of it in a file that is replaced as a whole. The file has
//   magic, version of the format, XXH3-64 of the schemas, length of the head and XXH3-64 of all that follows, each as 8
//   bytes
//   head   served_at, the number of rows, the number of places
//   places 8 bytes each, as many as a power of two: where a row begins, plus one; 0: none. The place of a row is its
//          hash, or the next free one behind it
//   rows   key, window, value, row_state as their codecs write them

namespace driftless::inline v0 {
namespace detail {
inline constexpr std::uint64_t view_file_magic = 0x5745'4956'5446'5244;  // "DRFTVIEW"
inline constexpr std::uint64_t view_file_format = 1;
inline constexpr std::size_t view_file_prelude = 40;

template <class T>
std::string schema_text() {
    if constexpr (std::is_same_v<T, unkeyed>) return "unkeyed";
    else return schema_of<owned_t<T>>();
}
template <class K, class V>
std::uint64_t view_schema() {
    auto const text = schema_text<K>() + " -> " + schema_text<V>();
    return xxh3_64(text.data(), text.size());
}
inline std::string view_file_name(std::string const& name) { return name + ".view"; }

/// What the head of a file says.
struct view_file_head {
    served_at at;
    std::uint64_t rows = 0;
    std::uint64_t places = 0;
};
/// Errors      unsupported, mismatch, corrupt.
inline view_file_head read_view_head(std::string_view bytes, std::uint64_t schema, std::string const& path) {
    auto const refuse = [&](error_code code, char const* why) { throw error{code, why, path}; };
    if (bytes.size() < view_file_prelude) refuse(error_code::corrupt, "the file of a view is cut short");
    byte_reader in{bytes};
    if (in.get_fixed64() != view_file_magic) refuse(error_code::corrupt, "this is no file of a view");
    if (in.get_fixed64() != view_file_format)
        refuse(error_code::unsupported, "the file of a view was written by a newer version of driftless");
    if (in.get_fixed64() != schema)
        refuse(error_code::mismatch, "the file is of a view with another key or value: read it with the types it has");
    auto const length = in.get_fixed64();
    static_cast<void>(in.get_fixed64());
    if (length > in.remaining()) refuse(error_code::corrupt, "the file of a view is cut short");
    view_file_head out;
    byte_reader head{in.get_bytes(static_cast<std::size_t>(length))};
    try {
        out.at = read_served_at(head);
        head.read(out.rows).read(out.places);
    } catch (error const&) {
        refuse(error_code::corrupt, "the head of the file of a view is damaged");
    }
    return out;
}
}  // namespace detail

namespace detail {
/// The checksum of a file whose head could be read fits.
inline bool view_file_is_whole(std::string_view bytes) {
    auto const body = bytes.substr(view_file_prelude);
    return xxh3_64(body.data(), body.size()) == byte_reader{bytes.substr(32, 8)}.get_fixed64();
}
/// Writes the file anew: each_row(f) calls f(view_row) for `count` rows.
template <class K, class V, class EachRow>
void write_view_file(served_at const& at, std::uint64_t count, EachRow const& each_row, std::string const& folder,
    std::string const& name, file_system& files) {
    std::uint64_t places = 4;
    while (places < 2 * count) places *= 2;
    std::vector<std::uint64_t> where(static_cast<std::size_t>(places));
    std::string rows;
    byte_writer out{rows};
    each_row([&](view_row<K, V> const& each) {
        auto place = row_hash(hash_of(each.key), each.window) & (places - 1);
        while (where[static_cast<std::size_t>(place)] != 0) place = (place + 1) & (places - 1);
        where[static_cast<std::size_t>(place)] = rows.size() + 1;
        auto const state = row_state::of(each.version, pane_info{.timing = each.timing});
        out.write(each.key).write(each.window).write(each.value).write(state.bits);
    });
    std::string head;
    byte_writer to_head{head};
    write_served_at(to_head, at);
    to_head.write(count).write(places);
    std::string index;
    index.reserve(where.size() * 8);
    byte_writer to_index{index};
    for (auto const each : where) to_index.put_fixed64(each);
    xxh3_64_stream sum;
    for (auto const* const part : {&head, &index, &rows}) sum.add(part->data(), part->size());
    std::string prelude;
    byte_writer to_prelude{prelude};
    to_prelude.put_fixed64(view_file_magic);
    to_prelude.put_fixed64(view_file_format);
    to_prelude.put_fixed64(view_schema<K, V>());
    to_prelude.put_fixed64(head.size());
    to_prelude.put_fixed64(sum.value());
    std::string_view const pieces[] = {prelude, head, index, rows};
    write_whole_file(folder, view_file_name(name), pieces, 4, files);
}
}  // namespace detail

/// Writes one state of a view into folder/NAME.view, for view_reader in any process: whole or not at all, also where
/// the process or the power fails. Any thread may do that, one at a time, as often as readers want to see something
/// new; the job does not wait for it.
///
/// returns     false, and nothing is written, if the file is already of that state, or of a later one of the same
///             build: a job that starts again from its snapshot does not take readers back.
/// Errors      io; the old file is then still there. One that is damaged is replaced.
/// Complexity  O(size of the view), two syncs.
template <class K, class V, class... By>
bool publish_file(view_snapshot<K, V, By...> const& shown, std::string const& folder, std::string const& name,
    file_system& files = real_files()) {
    auto const path = folder + "/" + detail::view_file_name(name);
    if (auto const old = files.open(path, open_mode::read)) {
        auto const bytes = old->map(static_cast<std::size_t>(old->size()));
        std::optional<served_at> was;
        try {
            was = detail::read_view_head(bytes.view(), detail::view_schema<K, V>(), path).at;
        } catch (error const&) {
            was.reset();  // whatever it is, it is replaced
        }
        auto const& now = shown.at();
        if (was && *was == now) return false;
        if (was && was->build == now.build && was->epoch > now.epoch && detail::view_file_is_whole(bytes.view()))
            return false;
    }
    detail::write_view_file<K, V>(
        shown.at(), shown.size(), [&](auto const& each) { shown.for_each(each); }, folder, name, files);
    return true;
}

/// What a view_reader says of one key and window. Keeps the file as it was, where the value has text in a struct.
template <class V>
struct published_answer {
    std::optional<owned_t<V>> value;
    served_at at;
    driftless::timing timing = driftless::timing::on_time;
    mapped_bytes bytes;  ///< that text in the value may point into

    explicit operator bool() const noexcept { return value.has_value(); }
    owned_t<V> const& operator*() const { return *value; }
    owned_t<V> const* operator->() const { return &*value; }
};

/// Reads a view that another process publishes (publish_file), mapped into memory: always one whole state.
///
/// Shape       What the file held when it was opened, until refresh() finds another one.
/// Errors      not_there while nothing has been published; corrupt (a wrong checksum, checked when it is opened);
///             mismatch (another key or value); unsupported.
/// Threads     One at a time. Readers are never in the way of the writer, or of each other.
/// Complexity  Opening O(bytes), for the checksum; find O(1).
template <class K, class V>
class view_reader {
    file_system* files_;
    std::string path_;
    mapped_bytes bytes_;
    detail::view_file_head head_;
    std::string_view places_;
    std::string_view rows_;

public:
    using key_type = K;
    using value_type = V;

    view_reader(std::string const& folder, std::string const& name, file_system& files = real_files())
        : files_(&files), path_(folder + "/" + detail::view_file_name(name)) {
        if (!refresh()) {
            throw error{error_code::not_there,
                "no view has been published there yet: let its process call publish_file", path_};
        }
    }

    /// Takes up what has been published since; true if there was something.
    bool refresh() {
        auto const now = files_->open(path_, open_mode::read);
        if (!now) return false;
        if (bytes_.size != 0) {
            std::string start(std::size_t{4096}, '\0');
            start.resize(now->read_at(0, start.data(), start.size()));
            if (start == bytes_.view().substr(0, start.size())) return false;  // the checksum is in there
        }
        take(now->map(static_cast<std::size_t>(now->size())));
        return true;
    }
    [[nodiscard]] served_at const& at() const noexcept { return head_.at; }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(head_.rows); }

    /// The row of a key and window; without a window, that of a stream that has none.
    template <class K2>
    [[nodiscard]] published_answer<V> find(K2 const& asked, time_window window = {}) const {
        auto const& key = detail::as_key<K>(asked);
        published_answer<V> out{{}, head_.at, timing::on_time, {}};
        auto const mask = head_.places - 1;
        for (auto at = detail::row_hash(detail::hash_of(key), window) & mask;; at = (at + 1) & mask) {
            auto const begin = byte_reader{places_.substr(static_cast<std::size_t>(at) * 8, 8)}.get_fixed64();
            if (begin == 0) return out;
            auto in = row_at(begin - 1);
            K found{};
            time_window its;
            in.read(found).read(its);
            if (its != window || !detail::is_key(found, key)) continue;
            V value{};
            detail::row_state state;
            in.read(value).read(state.bits);
            out.value.emplace(to_owned(value));
            out.timing = state.timing();
            if constexpr (has_text<owned_t<V>>) out.bytes = bytes_;
            return out;
        }
    }
    /// Calls f(view_row) for each row, in no particular order.
    template <class F>
    void for_each(F&& f) const {
        byte_reader in{rows_};
        for (std::uint64_t i = 0; i < head_.rows; ++i) {
            K key{};
            time_window window;
            V value{};
            detail::row_state state;
            in.read(key).read(window).read(value).read(state.bits);
            f(view_row<K, V>{key, window, value, state.version(), state.timing()});
        }
    }

private:
    [[nodiscard]] byte_reader row_at(std::uint64_t begin) const {
        if (begin >= rows_.size()) throw error{error_code::corrupt, "the file of a view is damaged", path_};
        return byte_reader{rows_.substr(static_cast<std::size_t>(begin)), begin};
    }
    void take(mapped_bytes bytes) {
        auto const all = bytes.view();
        auto head = detail::read_view_head(all, detail::view_schema<K, V>(), path_);
        auto const length = static_cast<std::size_t>(byte_reader{all.substr(24, 8)}.get_fixed64());
        auto const body = all.substr(detail::view_file_prelude);
        bool const fits = head.places != 0 && (head.places & (head.places - 1)) == 0 && head.rows < head.places
            && head.places <= (body.size() - length) / 8;
        if (!fits || !detail::view_file_is_whole(all)) {
            throw error{error_code::corrupt,
                "the file of a view is damaged: its checksum is wrong; let its process publish it again", path_};
        }
        places_ = body.substr(length, static_cast<std::size_t>(head.places) * 8);
        rows_ = body.substr(length + places_.size());
        head_ = std::move(head);
        bytes_ = std::move(bytes);
    }
};

/// A published file as a place to purge of erased subjects: behind its view, eraser.add("view file", "names", file).
///
/// Shape       The state that it is of stays the same; rows that view::purge would take away are left out.
/// Errors      Those of view_reader and publish_file; without a file nothing is there to purge.
/// Threads     The one that publishes.
/// Complexity  O(rows); two syncs if there were such rows.
template <class K, class V>
class view_file_place {
    std::string folder_;
    std::string name_;
    file_system* files_;

public:
    explicit view_file_place(std::string folder, std::string name, file_system& files = real_files())
        : folder_(std::move(folder)), name_(std::move(name)), files_(&files) {}

    /// who         erased_subjects
    template <class Who>
    std::uint64_t purge(Who const& who) {
        if (!files_->exists(folder_ + "/" + detail::view_file_name(name_))) return 0;
        view_reader<K, V> const shown{folder_, name_, *files_};
        auto const each_other = [&](auto const& f) {
            shown.for_each([&](view_row<K, V> const& each) {
                if (!detail::names_erased(who, each.key, each.value)) f(each);
            });
        };
        std::uint64_t others = 0;
        each_other([&](view_row<K, V> const&) { ++others; });
        auto const theirs = shown.size() - others;
        if (theirs != 0) detail::write_view_file<K, V>(shown.at(), others, each_other, folder_, name_, *files_);
        return theirs;
    }
};
}  // namespace driftless::inline v0
#endif
