// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_SNAPSHOT_VISITORS_HPP
#define DRIFTLESS_RUN_DETAIL_SNAPSHOT_VISITORS_HPP

#include <driftless/codec/codec.hpp>
#include <driftless/core/account.hpp>
#include <driftless/core/error.hpp>

#include <string>
#include <string_view>
#include <type_traits>

namespace driftless::inline v0::detail {
/// Writes the state of the stages: (name, length, bytes) for each member that is shown.
class save_visitor {
    byte_writer out_;

public:
    explicit save_visitor(std::string& out) : out_(out) {}

    template <class T>
    void operator()(std::string_view name, T& member) {
        std::string bytes;
        byte_writer part{bytes};
        if constexpr (std::is_same_v<T, account>) {
            part.write(member.applied).write(member.violations);
            for (auto const n : member.refused) part.write(n);
        } else if constexpr (requires { member.save_state(part); }) {
            member.save_state(part);
        } else {
            part.write(member);
        }
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
        auto const found = in_.read<std::string>();
        if (found != name) {
            throw error{error_code::mismatch,
                "the snapshot holds '" + found + "' where this pipeline keeps '" + std::string{name}
                    + "': restore it into the pipeline it was taken from"};
        }
        auto const bytes = in_.read<std::string>();
        byte_reader part{bytes};
        if constexpr (std::is_same_v<T, account>) {
            part.read(member.applied).read(member.violations);
            for (auto& n : member.refused) part.read(n);
        } else if constexpr (requires { member.load_state(part); }) {
            member.load_state(part);
        } else {
            part.read(member);
        }
        part.expect_end();
    }
};
}  // namespace driftless::inline v0::detail
#endif
