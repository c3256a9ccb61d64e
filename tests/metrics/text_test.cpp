// SPDX-License-Identifier: BSL-1.0
#include <driftless/metrics/text.hpp>
#include <support/catch.hpp>
#include <support/json_reader.hpp>
#include <support/prometheus_reader.hpp>

#include <cmath>
#include <limits>
#include <string>

namespace dl = driftless;
using support::json_reader;
using support::prometheus_reader;

TEST_CASE("the Prometheus text of a metric set is, to the byte, what the format asks for", "[metrics][text]") {
    dl::metric_set all;
    all.counter("shop_orders_total", "Orders.").add({{"shop", "a"}}, 7);
    all.gauge("shop_temperature_celsius", "Says\\how\nwarm.").add({}, -1.5);
    all.counter("shop_orders_total", "ignored").add({{"shop", "b"}}, 1'000'000'000'000ULL);
    all.gauge("shop_nothing", "No value: left out.");
    all.histogram("shop_wait_seconds", "Waits.").add({{"shop", "a"}}, dl::histogram_value{{0.1, 1}, {2, 0, 3}, 12.25});
    CHECK(dl::prometheus_text(all) ==
        "# HELP shop_orders_total Orders.\n"
        "# TYPE shop_orders_total counter\n"
        "shop_orders_total{shop=\"a\"} 7\n"
        "shop_orders_total{shop=\"b\"} 1000000000000\n"
        "# HELP shop_temperature_celsius Says\\\\how\\nwarm.\n"
        "# TYPE shop_temperature_celsius gauge\n"
        "shop_temperature_celsius -1.5\n"
        "# HELP shop_wait_seconds Waits.\n"
        "# TYPE shop_wait_seconds histogram\n"
        "shop_wait_seconds_bucket{shop=\"a\",le=\"0.1\"} 2\n"
        "shop_wait_seconds_bucket{shop=\"a\",le=\"1\"} 2\n"
        "shop_wait_seconds_bucket{shop=\"a\",le=\"+Inf\"} 5\n"
        "shop_wait_seconds_sum{shop=\"a\"} 12.25\n"
        "shop_wait_seconds_count{shop=\"a\"} 5\n");
    prometheus_reader const read{dl::prometheus_text(all)};
    CHECK(read.value("shop_orders_total", {{"shop", "b"}}) == 1e12);
    CHECK(read.value("shop_wait_seconds_count") == 5);
}

TEST_CASE("labels come back as they were, whatever is in them", "[metrics][text]") {
    std::string const odd = "back\\slash \"quoted\" line\nbreak tab\t \x7f \xc3\xa4 \xf0\x9f\x98\x80, {x=\"y\"} # 1";
    dl::metric_set all;
    all.gauge("odd", "h").add({{"a", odd}, {"b", ""}}, 1);
    prometheus_reader const read{dl::prometheus_text(all)};
    REQUIRE(read.all.size() == 1);
    CHECK(read.all[0].labels.at("a") == odd);
    CHECK(read.all[0].labels.at("b").empty());
    auto const json = json_reader::read(dl::json_text(all));
    CHECK(json["metrics"][0]["samples"][0]["labels"]["a"].text == odd);
}

TEST_CASE("what is no UTF-8 becomes the replacement character in both formats", "[metrics][text]") {
    dl::metric_set all;
    all.gauge("odd", "h\xff").add({{"a", "x\xc3y\xed\xa0\x80"}}, 1);
    prometheus_reader const read{dl::prometheus_text(all)};
    CHECK(read.all[0].labels.at("a") == "x\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(json_reader::read(dl::json_text(all))["metrics"][0]["help"].text == "h\xef\xbf\xbd");
}

TEST_CASE("numbers come back as they were", "[metrics][text]") {
    double const numbers[] = {0, 1, -1, 0.1, 1e-9, 123456.789, 9007199254740991.0, 9007199254740993.0, 1e300, 4e-310,
        std::numeric_limits<double>::max(), 1.0 / 3};
    for (auto const each : numbers) {
        dl::metric_set all;
        all.gauge("n", "h").add({}, each);
        CHECK(prometheus_reader{dl::prometheus_text(all)}.value("n") == each);
        CHECK(json_reader::read(dl::json_text(all))["metrics"][0]["samples"][0]["value"].number == each);
    }
    dl::metric_set all;
    all.gauge("n", "h").add({{"k", "nan"}}, std::nan(""));
    all.gauge("n", "h").add({{"k", "inf"}}, HUGE_VAL);
    all.gauge("n", "h").add({{"k", "-inf"}}, -HUGE_VAL);
    prometheus_reader const read{dl::prometheus_text(all)};
    CHECK(std::isnan(read.value("n", {{"k", "nan"}})));
    CHECK(read.value("n", {{"k", "inf"}}) == HUGE_VAL);
    auto const samples = json_reader::read(dl::json_text(all))["metrics"][0]["samples"];
    CHECK(samples[0]["value"].text == "NaN");
    CHECK(samples[1]["value"].text == "+Inf");
    CHECK(samples[2]["value"].text == "-Inf");
}

TEST_CASE("the JSON of a metric set has kinds, labels and cumulative buckets", "[metrics][text]") {
    dl::metric_set all;
    CHECK(dl::json_text(all) == "{\"metrics\":[]}\n");
    all.counter("a_total", "A.").add({{"x", "1"}}, 7);
    all.histogram("b_seconds", "B.").add({}, dl::histogram_value{{0.5}, {2, 3}, 9});
    auto const json = json_reader::read(dl::json_text(all));
    auto const& metrics = json["metrics"];
    REQUIRE(metrics.list.size() == 2);
    CHECK(metrics[0]["name"].text == "a_total");
    CHECK(metrics[0]["kind"].text == "counter");
    CHECK(metrics[0]["samples"][0]["labels"]["x"].text == "1");
    CHECK(metrics[0]["samples"][0]["value"].number == 7);
    auto const& histogram = metrics[1]["samples"][0];
    CHECK(histogram["count"].number == 5);
    CHECK(histogram["sum"].number == 9);
    CHECK(histogram["buckets"][0]["le"].number == 0.5);
    CHECK(histogram["buckets"][0]["count"].number == 2);
    CHECK(histogram["buckets"][1]["le"].text == "+Inf");
    CHECK(histogram["buckets"][1]["count"].number == 5);
}

TEST_CASE("names that Prometheus would refuse are refused before", "[metrics][text]") {
    dl::metric_set all;
    for (char const* const bad : {"", "1a", "a-b", "a b", "\xc3\xa4"})
        CHECK_THROWS_AS(all.gauge(bad, "h"), dl::error);
    CHECK_NOTHROW(all.gauge("a:b_1", "h").add({}, 1));
    CHECK_THROWS_AS(all.counter("a:b_1", "h"), dl::error);  // a gauge by now
    for (char const* const bad : {"", "1a", "a:b", "__a", "le"}) {
        dl::metric_set one;
        one.gauge("g", "h").add({{bad, "x"}}, 1);
        CHECK_THROWS_AS(dl::prometheus_text(one), dl::error);
    }
}

TEST_CASE("spans of time are counted in buckets whose bounds are inclusive", "[metrics][text]") {
    using namespace dl::literals;
    dl::time_histogram of;
    for (auto const span : {-(1_s), 0_s, 1_ns, 1_ms, 1_ms + 1_ns, 1_min, 1_h, 24_h, 25_h}) of.add(span);
    CHECK(of.counts[0] == 2);   // -1 s and 0
    CHECK(of.counts[1] == 2);   // 1 ns and 1 ms
    CHECK(of.counts[2] == 1);
    CHECK(of.counts[6] == 1);   // a minute
    CHECK(of.counts[8] == 1);   // an hour
    CHECK(of.counts[9] == 1);   // a day
    CHECK(of.counts[10] == 1);
    CHECK(of.count() == 9);
    auto const seconds = dl::in_seconds(of);
    CHECK(seconds.bounds.size() + 1 == seconds.counts.size());
    CHECK(seconds.sum == Approx(0.001 + 0.001 + 60 + 3600 + 24 * 3600 + 25 * 3600));
}
