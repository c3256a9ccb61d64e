// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_LAMBDA_LOGS_HPP
#define DRIFTLESS_VIEW_DETAIL_LAMBDA_LOGS_HPP

#include <driftless/core/detail/sentence.hpp>
#include <driftless/core/error.hpp>
#include <driftless/view/build.hpp>
#include <driftless/view/detail/log_slice.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
/// The logs of a coordinator, borrowed. Offsets are those of all partitions: by input, then by partition.
template <class... Inputs>
class lambda_logs {
    using offsets = std::vector<std::uint64_t>;
    std::tuple<typename sliced_input<Inputs>::log const*...> logs_;

public:
    explicit lambda_logs(typename sliced_input<Inputs>::log const&... logs) : logs_(&logs...) {}

    [[nodiscard]] offsets ends() const {
        offsets out;
        each([&](auto const& log, std::uint32_t p, std::size_t) { out.push_back(log.end_offset(p)); });
        return out;
    }
    /// Records behind what a T has.
    [[nodiscard]] std::uint64_t records_behind(std::vector<build_input> const& at) const {
        std::uint64_t sum = 0;
        each([&](auto const& log, std::uint32_t p, std::size_t i) {
            std::uint64_t const end = log.end_offset(p);
            std::uint64_t const from = i < at.size() ? at[i].offset : log.begin_offset(p);
            if (end > from) sum += end - from;
        });
        return sum;
    }
    /// A T that is published stays: a loss of power must not take records back that lie before it.
    [[nodiscard]] bool durable_up_to(offsets const& at) const {
        bool out = true;
        each([&](auto const& log, std::uint32_t p, std::size_t i) {
            if constexpr (requires { log.durable_offset(p); }) {
                if constexpr (requires { log.durable()->what(); }) {
                    // Nothing is promised before the log is closed, and nobody can wait for it.
                    using promise = std::remove_cvref_t<decltype(log.durable()->what())>;
                    if (log.durable() && log.durable()->what() == promise::on_close) return;
                }
                if (log.durable_offset(p) < at[i]) out = false;
            }
        });
        return out;
    }
    /// A batch reads all records: what retention has removed since a T would be missing in its rows.
    void require_whole(std::vector<build_input> const& at) const {
        each([&](auto const& log, std::uint32_t p, std::size_t i) {
            if (i >= at.size() || log.begin_offset(p) <= at[i].begin) return;
            throw error{error_code::not_there,
                sentence({"partition ", std::uint64_t{p},
                    " of a log begins later than at the T before: the rows of a batch would lack what retention has "
                    "removed; keep all records, move the old ones to a cold store (tiered_log), or begin a new "
                    "folder"}),
                {}, log.begin_offset(p)};
        });
    }
    /// The part of input I that lies between these; empty ones stand for its beginning and its end.
    template <std::size_t I>
    [[nodiscard]] auto slice(offsets const& from, offsets const& until) const {
        using input = std::tuple_element_t<I, std::tuple<sliced_input<Inputs>...>>;
        return input::slice(*std::get<I>(logs_), part(from, I), part(until, I));
    }

private:
    /// f(log, partition, place among all partitions).
    template <class F>
    void each(F&& f) const {
        std::size_t i = 0;
        auto const one = [&](auto const& log) {
            for (std::uint32_t p = 0; p < log.partitions(); ++p) f(log, p, i++);
        };
        std::apply([&](auto const*... log) { (one(*log), ...); }, logs_);
    }
    [[nodiscard]] offsets part(offsets const& all, std::size_t input) const {
        if (all.empty()) return {};
        offsets out;
        std::size_t at = 0;
        std::size_t n = 0;
        auto const one = [&](auto const& log) {
            std::size_t const count = log.partitions();
            if (n++ == input) {
                out.assign(all.begin() + static_cast<std::ptrdiff_t>(at),
                    all.begin() + static_cast<std::ptrdiff_t>(at + count));
            }
            at += count;
        };
        std::apply([&](auto const*... log) { (one(*log), ...); }, logs_);
        return out;
    }
};
}  // namespace driftless::inline v0::detail
#endif
