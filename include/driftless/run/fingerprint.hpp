// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_FINGERPRINT_HPP
#define DRIFTLESS_RUN_FINGERPRINT_HPP

#include <driftless/codec/checksum.hpp>
#include <driftless/run/plan.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace driftless::inline v0 {
namespace detail {
/// The bytes that fingerprints are taken of: every text with its length before it, every number as
/// 8 bytes, least significant first. The number in the heading changes with the layout.
class canonical_plan {
    std::string bytes_ = "driftless plan 1\n";

    void number(std::uint64_t n) {
        for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(n >> (8 * i) & 0xff);
    }
    void text(std::string_view t) {
        number(t.size());
        bytes_ += t;
    }

public:
    explicit canonical_plan(plan const& of) {
        number(of.nodes.size());
        for (auto const& node : of.nodes) {
            text(node.kind);
            text(node.id);
            number(node.parameters.size());
            for (auto const& [name, value] : node.parameters) {
                text(name);
                text(value);
            }
            text(node.schema);
            text(node.key);
            number(static_cast<std::uint64_t>(node.windows));
            number((node.timed ? 1U : 0U) + (node.changes ? 2U : 0U));
            number(node.inputs.size());
            for (auto const input : node.inputs) number(input);
        }
    }
    [[nodiscard]] std::string const& bytes() const noexcept { return bytes_; }
};
}  // namespace detail

/// The fingerprint of a plan.
[[nodiscard]] inline std::uint64_t fingerprint(plan const& of) {
    detail::canonical_plan const canonical{of};
    return xxh3_64(canonical.bytes().data(), canonical.bytes().size());
}

/// A number that tells whether two pipelines mean the same state: snapshots and views are kept under it.
///
/// Shape       XXH3-64 over the kinds of the operators in order, user ids, parameters (windows, lateness, bounds,
///             names, which members are read, which aggregates), schemas of records and keys, and how they
///             are connected. Compiler-made type names do not occur: compilers and machines agree.
/// Errors      It does not see inside functions: a changed lambda, its captures, or the start of a fold keep the
///             fingerprint. Members of a struct without BOOST_HANA_ADAPT_STRUCT are alike to it, as are several
///             run-time member pointers in one key_by. 0 for an ill-formed pipeline.
/// Complexity  Linear in the operators; meant for start-up.
/// Source      Y. Collet, xxHash 0.8.
template <pipeline P>
[[nodiscard]] std::uint64_t fingerprint(P const& p) {
    if constexpr (is_ill_formed<P>) return 0;
    else return fingerprint(plan_of(p));
}

namespace detail {
template <class P>
struct fingerprint_comparison {
    static void require_same(P const& a, P const& b) {
        if (fingerprint(a) == fingerprint(b)) return;
        throw error{error_code::mismatch,
            "two shares of one name have other parameters: give them two names, or use one pipeline value in both "
            "places"};
    }
};
}  // namespace detail
}  // namespace driftless::inline v0
#endif
