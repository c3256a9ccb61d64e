// SPDX-License-Identifier: BSL-1.0
// not precompiled
#include <driftless/core/stage.hpp>

#include <driftless/op/filter.hpp>
#include <driftless/op/flat_map.hpp>
#include <driftless/op/key_by.hpp>
#include <driftless/op/map.hpp>
#include <driftless/op/tap.hpp>
#include <support/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

using namespace driftless;

namespace {
/// The end of a chain that writes down what it hears.
struct listening : terminal {
    std::string* heard;

    explicit listening(std::string* into) : heard(into) {}
    template <class Ctx, class T>
    void on_record(Ctx const&, T const&) {}
    void on_watermark(event_time) { *heard += "watermark "; }
    void on_partition(std::uint32_t) { *heard += "partition "; }
    void on_partition_end(std::uint32_t) { *heard += "partition_end "; }
    void on_chunk() { *heard += "chunk "; }
    void settle() { *heard += "settle "; }
    void on_epoch(std::uint64_t) { *heard += "epoch "; }
    void on_idle(bool) { *heard += "idle "; }
    void on_clock(event_time) { *heard += "clock "; }
    void on_end() { *heard += "end "; }
    void visit_state(auto&& visit) { visit("listening"); }
};

constexpr std::string_view everything = "watermark partition partition_end chunk settle epoch idle clock end state ";

/// Makes every call of the protocol that is not a record.
std::string heard_through(auto& chain, std::string& heard) {
    chain.on_watermark(event_time{1});
    chain.on_partition(0);
    chain.on_partition_end(0);
    chain.on_chunk();
    chain.settle();
    chain.on_epoch(1);
    chain.on_idle(true);
    chain.on_clock(event_time{1});
    chain.on_end();
    chain.visit_state([&](std::string_view) { heard += "state "; });
    return heard;
}

struct identity {
    int operator()(int x) const noexcept { return x; }
};
struct always {
    bool operator()(int) const noexcept { return true; }
};
struct nothing {
    void operator()(int) const noexcept {}
};
struct once {
    void operator()(int x, auto& out) const { out(x); }
};
}  // namespace

TEST_CASE("a stage hands on each call of the protocol that it does not write", "[core][stage]") {
    std::string heard;
    forwarding<forwarding<listening>> chain{forwarding<listening>{listening{&heard}}};
    CHECK(heard_through(chain, heard) == everything);
}

TEST_CASE("the rare calls reach what listens through stages of records alone", "[core][stage]") {
    std::string heard;
    run_services services;
    using mapped = detail::map_stage<identity, listening>;
    using filtered = detail::filter_stage<always, mapped>;
    using tapped = detail::tap_stage<nothing, filtered>;
    using flat = detail::flat_map_stage<int, once, tapped>;
    flat chain{tapped{filtered{mapped{listening{&heard}, {}, {}, &services}, {}, {}, &services}, {}, {}, &services}, {},
        {}, &services};
    static_assert(std::is_same_v<decltype(chain.listener()), listening&>);
    CHECK(heard_through(chain, heard) == everything);
}

TEST_CASE("a stage that writes one of the rare calls is not skipped", "[core][stage]") {
    struct counting : forwarding<listening> {
        int watermarks = 0;
        using forwarding::forwarding;
        void on_watermark(event_time watermark) {
            ++watermarks;
            next_.on_watermark(watermark);
        }
    };
    std::string heard;
    run_services services;
    detail::map_stage<identity, counting> chain{counting{listening{&heard}}, {}, {}, &services};
    CHECK(heard_through(chain, heard) == everything);
    CHECK(chain.listener().watermarks == 1);
}
