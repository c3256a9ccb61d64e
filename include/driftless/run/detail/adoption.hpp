// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_RUN_DETAIL_ADOPTION_HPP
#define DRIFTLESS_RUN_DETAIL_ADOPTION_HPP

#include <driftless/core/account.hpp>
#include <driftless/core/detail/sentence.hpp>
#include <driftless/run/explain.hpp>
#include <driftless/run/plan.hpp>
#include <driftless/run/snapshot_manifest.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The operators of a plan, as manifests keep them.
inline std::vector<snapshot_operator> operators_of(plan const& of) {
    std::vector<snapshot_operator> out;
    for (auto const& node : of.nodes) {
        auto text = operator_text(node);
        // What is kept for a window depends on the window.
        for (auto const* at = &node; !at->inputs.empty();) {
            at = &of.nodes[at->inputs.front()];
            if (at->windows != plan_windows::assigned) break;
            if (at->kind == "window") text += sentence({" over ", operator_text(*at)});
        }
        out.push_back({std::string{node.kind}, std::string{node.id}, std::move(text), node.schema, node.key});
    }
    return out;
}

/// What a snapshot was taken of, and what it is to be taken up by, where they differ: lines with - and +.
inline std::string what_changed(snapshot_manifest const& was, snapshot_manifest const& is) {
    if (was.fingerprint == is.fingerprint) {
        return sentence({"the snapshot was taken by other code (logic version ", was.logic_version, ", this is ",
            is.logic_version,
            // NOLINTNEXTLINE(bugprone-suspicious-missing-comma)
            "), and what its functions do may have changed: say if_changed::adopt to go on with its state, restart to "
            "begin anew, or give snapshot_options::logic_version where nothing did"});
    }
    std::string out =
        "the snapshot is of another pipeline: say if_changed::adopt to keep the state of operators that are the "
        "same, or restart to begin anew.";
    auto const lines = [&](char const* mark, snapshot_manifest const& of, snapshot_manifest const& other) {
        for (auto const& each : of.operators) {
            bool there = false;
            for (auto const& one : other.operators) there = there || one == each;
            if (there) continue;
            out += sentence({"\n  ", mark, " ", each.text, "  ", each.rows});
            if (!each.key.empty()) out += sentence({"  by ", each.key});
        }
    };
    lines("-", was, is);
    lines("+", is, was);
    return out;
}

/// Finds for each member of the state of a changed pipeline the one of a snapshot that means the same.
///
/// An operator is the same if kind, id, parameters, rows and key are; one without an id is known by its place among
/// those of its kind, where there are as many as before. What belongs to no such operator (watermarks) goes by its
/// place.
class adoption {
    struct counted {
        std::string name;
        std::size_t count = 0;
    };
    snapshot_manifest const& was_;
    snapshot_manifest const& is_;
    std::vector<counted> seen_;
    std::string report_;

public:
    adoption(snapshot_manifest const& was, snapshot_manifest const& is) : was_(was), is_(is) {}

    /// Of the member that comes next in this pipeline; null: it begins empty. The records of one that evolves may have
    /// another schema: they are read by its rules.
    snapshot_member const* next(std::string_view name, operator_label of, bool evolves) {
        auto const place = count(sentence({name, "\n", of.id}));
        auto const* const found = member(name, of.id, place);
        auto const what = of.kind.empty() ? std::string{name} : of.str();
        if (found == nullptr) return begins_empty(what, "the snapshot has none");
        if (of.kind.empty()) return found;
        auto const ours = operators(is_, of);
        auto const theirs = operators(was_, of);
        if (ours.size() != theirs.size())
            return begins_empty(what, "give it an id, so that it can be told from others");
        for (std::size_t i = 0; i < ours.size(); ++i) {
            if (ours[i]->text == theirs[i]->text && ours[i]->key == theirs[i]->key
                && (evolves || ours[i]->rows == theirs[i]->rows)) continue;
            return begins_empty(what, "it is another one now");
        }
        return found;
    }
    [[nodiscard]] std::string const& report() const noexcept { return report_; }

private:
    snapshot_member const* begins_empty(std::string_view what, std::string_view why) {
        report_ += sentence({"\n  the state of ", what, " begins empty: ", why});
        return nullptr;
    }
    std::size_t count(std::string const& name) {
        for (auto& each : seen_) {
            if (each.name == name) return each.count++;
        }
        seen_.push_back({name, 1});
        return 0;
    }
    [[nodiscard]] snapshot_member const* member(std::string_view name, std::string_view id, std::size_t place) const {
        for (auto const& each : was_.members) {
            if (each.name == name && each.id == id && place-- == 0) return &each;
        }
        return nullptr;
    }
    static std::vector<snapshot_operator const*> operators(snapshot_manifest const& in, operator_label of) {
        std::vector<snapshot_operator const*> out;
        for (auto const& each : in.operators) {
            if (each.kind == of.kind && each.id == of.id) out.push_back(&each);
        }
        return out;
    }
};
}  // namespace driftless::inline v0::detail
#endif
