// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_SNAPSHOT_VISITORS_HPP
#define DRIFTLESS_RUN_DETAIL_SNAPSHOT_VISITORS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/codec/detail/left_out.hpp>
#include <driftless/codec/detail/state_schemas.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace driftless::inline v0::detail {
/// The state of one member of a stage.
template <class T>
void save_member(auto& out, T& member) {
    if constexpr (std::is_same_v<T, account>) {
        out.write(member.applied).write(member.violations);
        for (auto const n : member.refused) out.write(n);
    } else if constexpr (requires { member.save_state(out); }) {
        member.save_state(out);
    } else {
        out.write(member);
    }
}
template <class T>
void load_member(std::string_view bytes, T& member) {
    byte_reader in{bytes};
    if constexpr (std::is_same_v<T, account>) {
        in.read(member.applied).read(member.violations);
        for (auto& n : member.refused) in.read(n);
    } else if constexpr (requires { member.load_state(in); }) {
        member.load_state(in);
    } else {
        in.read(member);
    }
    in.expect_end();
    if constexpr (requires { member.books().label, member.state_bytes(); }) {
        if (auto* const filter = left_out::current())
            filter->member_read(member.books().label.str(), member.state_bytes() != 0);
    }
}
template <class T>
void load_member(std::string_view bytes, std::vector<state_type> const& types, T& member) {
    state_schemas const as_written{&types};
    load_member(bytes, member);
}
/// The records that a stage keeps are read by the rules of their schemas.
template <class T>
constexpr bool evolves_state = false;
template <class T>
    requires requires { T::evolves_state; }
constexpr bool evolves_state<T> = T::evolves_state;

/// What the operator of a member is called, where it keeps books; else nothing.
template <class T>
operator_label label_of(T const& member) {
    if constexpr (std::is_same_v<T, account>) return member.label;
    else if constexpr (requires { member.books(); }) return member.books().label;
    else return {};
}

/// Writes the state of the stages: (name, length, bytes) for each member that is shown.
class save_visitor {
    byte_writer out_;

public:
    explicit save_visitor(std::string& out) : out_(out) {}

    template <class T>
    void operator()(std::string_view name, T& member) {
        std::string bytes;
        byte_writer part{bytes};
        save_member(part, member);
        out_.write(name).write(std::string_view{bytes});
    }
};

/// Reads it back. A name that is not the one expected belongs to another pipeline.
class load_visitor {
    byte_reader& in_;

public:
    explicit load_visitor(byte_reader& in) : in_(in) {}

    template <class T>
    void operator()(std::string_view name, T& member) {
        auto const found = in_.get_bytes(in_.get_count());
        if (found != name) throw_other_member(found, name);
        load_member(in_.get_bytes(in_.get_count()), member);
    }
    [[noreturn]] static void throw_other_member(std::string_view found, std::string_view name) {
        throw error{error_code::mismatch,
            sentence({"the snapshot holds '", found, "' where this pipeline keeps '", name,
                "': restore it into the pipeline it was taken from"})};
    }
};

/// Writes it into the file of a snapshot, member by member.
template <class Writer>
class store_visitor {
    Writer& out_;

public:
    explicit store_visitor(Writer& out) : out_(out) {}

    template <class T>
    void operator()(std::string_view name, T& member) {
        out_.begin_member(name, label_of(member).id);
        save_member(out_, member);
        out_.end_member();
    }
};
}  // namespace driftless::inline v0::detail
#endif
