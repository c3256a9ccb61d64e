// SPDX-License-Identifier: BSL-1.0
#include <driftless/state/record_pool.hpp>

#include <support/catch.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <string>

using namespace driftless;

namespace pool_test {
struct note {
    text said;
    std::string owned;
    std::int32_t n;
};
}  // namespace pool_test
BOOST_HANA_ADAPT_STRUCT(pool_test::note, said, owned, n);
using pool_test::note;

namespace {
using keyed_notes = stream_of<note, true, text>;

struct kept {
    std::string said;
    std::string key;
    std::int32_t n;
    std::uint64_t place;
    std::uint32_t uses;
};
}  // namespace

TEST_CASE("a record pool gives a place back after the last use", "[state][record_pool]") {
    record_pool<stream_of<int, true>> pool;
    context<> const ctx{.at = event_time{7}, .from = {3, 1, 0}};
    auto const first = pool.hold(ctx, 10, 2);
    auto const second = pool.hold(ctx, 20, 1);
    CHECK(pool.size() == 2);
    pool.drop(first);
    CHECK(pool[first].record() == 10);
    CHECK(pool[first].ctx().at == event_time{7});
    CHECK(pool[first].ctx().from.offset == 3);
    pool.drop(first);
    CHECK(pool.size() == 1);
    CHECK(pool.hold(ctx, 30, 1) == first);
    CHECK(pool[first].place() > pool[second].place());
    pool.drop(first);
    pool.drop(second);
    CHECK(pool.size() == 0);
    CHECK(pool.bytes() == 0);
}

TEST_CASE("a record pool does what a map of copies does; text does not pile up", "[state][record_pool][oracle]") {
    std::mt19937 random{5};
    record_pool<keyed_notes> pool;
    std::map<std::size_t, kept> model;
    std::uint64_t next = 0;
    bool right = true;
    std::size_t most = 0;
    std::string scratch;
    std::string key;
    auto const check_one = [&](std::size_t index, kept const& want) {
        auto const& held = pool[index];
        right = right && held.record().said == want.said && held.record().owned == want.said
            && *held.ctx().key == want.key && held.record().n == want.n && held.place() == want.place;
    };
    for (int i = 0; i < 200'000; ++i) {
        if (model.size() < 30 || (model.size() < 60 && random() % 2 == 0)) {
            // The bytes a record borrows are gone when the push is over.
            scratch.assign(random() % 3 == 0 ? 0 : random() % 200, static_cast<char>('a' + random() % 26));
            key = std::to_string(random() % 1000);
            auto const uses = 1 + static_cast<std::uint32_t>(random() % 3);
            text const borrowed{key};
            auto const index = pool.hold(
                context<text>{.at = event_time{i}, .key = &borrowed}, note{text{scratch}, scratch, i}, uses);
            right = right && model.count(index) == 0;
            model[index] = {scratch, key, i, next++, uses};
            scratch.assign(scratch.size(), '#');
            key.assign(key.size(), '#');
        } else {
            auto at = model.begin();
            std::advance(at, random() % model.size());
            check_one(at->first, at->second);
            pool.drop(at->first);
            if (--at->second.uses == 0) model.erase(at);
        }
        if (pool.bytes() > most) most = pool.bytes();
    }
    CHECK(pool.size() == model.size());
    std::size_t seen = 0;
    pool.for_each([&](std::size_t index) {
        ++seen;
        right = right && model.count(index) == 1;
    });
    CHECK(seen == model.size());
    for (auto const& [index, want] : model) check_one(index, want);
    CHECK(right);
    CHECK(most < 512 * 1024);  // 6 MB of text have gone through
    pool.clear();
    CHECK(pool.size() == 0);
    CHECK(pool.bytes() == 0);
}
