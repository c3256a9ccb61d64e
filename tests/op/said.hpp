// SPDX-License-Identifier: BSL-1.0
// An operator of the test's that writes down the records and watermarks that reach it, in order: "10 wm 6 11".
#ifndef DRIFTLESS_TESTS_OP_SAID_HPP
#define DRIFTLESS_TESTS_OP_SAID_HPP
#include <driftless/core/operator.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace said {
using namespace driftless;

template <class Next>
class listening_stage : public forwarding<Next> {
    std::string* into_;

public:
    listening_stage(Next next, std::string* into) : forwarding<Next>(std::move(next)), into_(into) {}

    template <class Ctx, class T>
    void on_record(Ctx const& ctx, T const& record) {
        add(std::to_string(ctx.at.ns()));
        this->next_.on_record(ctx, record);
    }
    template <class Ctx, class T>
    void on_change(Ctx const& ctx, change<T> const& row) {
        add("change");
        this->next_.on_change(ctx, row);
    }
    void on_watermark(event_time watermark) {
        add("wm " + (watermark == event_time::max() ? "inf" : std::to_string(watermark.ns())));
        this->next_.on_watermark(watermark);
    }
    void on_clock(event_time now) {
        add("clock " + std::to_string(now.ns()));
        this->next_.on_clock(now);
    }
    /// Every watermark is wanted.
    [[nodiscard]] event_time deadline() const { return event_time::min(); }

private:
    void add(std::string const& what) { (*into_ += into_->empty() ? "" : " ") += what; }
};
struct listener : operator_base<listener> {
    static constexpr std::string_view kind = "listener";
    std::string* into;
    explicit listener(std::string& text) : into(&text) {}
    template <class In>
    static constexpr bool accepts = true;
    template <class In>
    using output_t = In;
    template <class In>
    static constexpr void refuse() {}
    template <class In, class Mode, class Next>
    auto bind(Next next, auto const&) const {
        return listening_stage<Next>{std::move(next), into};
    }
};
}  // namespace said
#endif
