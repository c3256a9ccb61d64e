// SPDX-License-Identifier: BSL-1.0
#include <driftless/view/erasure_audit.hpp>  // first: proves that the header stands alone

#include <driftless/log/erasure.hpp>
#include <driftless/testing/memory_files.hpp>
#include <support/catch.hpp>
#include <support/toy_cipher.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace driftless;

namespace erasure_audit_test {
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
};
}  // namespace erasure_audit_test
BOOST_HANA_ADAPT_STRUCT(erasure_audit_test::customer_id, number);
using erasure_audit_test::customer_id;

namespace {
event_time still() { return event_time{1'000}; }

/// What a program that erases has open.
struct office {
    erasure_log erasures;
    toy::store keys;
    audit_log audit;
    erasure_audit noted;
    eraser everywhere;

    explicit office(testing::memory_files& files)
        : erasures("erasures", {.files = &files, .clock = &still, .id = {1, 2}}),
          keys("keys", toy::master(), erasures, {.files = &files}),
          audit("audit", {.files = &files, .clock = &still}),
          noted(audit, erasures, "privacy desk"),
          everywhere(erasures, keys) {
        everywhere.add("audit", "shop", noted);
    }
};
std::vector<std::string> whys_in(testing::memory_files& files) {
    std::vector<std::string> out;
    for (auto const& each : read_audit_log("audit", files)) out.push_back(each.why);
    return out;
}
}  // namespace

TEST_CASE("each erasure has one entry in the audit log, without the subject", "[view][erasure_audit]") {
    testing::memory_files files;
    office with{files};
    with.audit.append(audit_kind::deploy, "v1", "ann", "step 1");
    CHECK(with.everywhere.erase(customer_id{7}, "asked for by letter").complete());
    CHECK(with.everywhere.erase(customer_id{7}).complete());
    CHECK(with.everywhere.erase(customer_id{8}).complete());
    CHECK(with.everywhere.purge_again().complete());
    auto const all = with.audit.history();
    REQUIRE(all.size() == 3);
    CHECK(all[1].kind == audit_kind::erase);
    CHECK(all[1].who == "privacy desk");
    CHECK(all[1].version.empty());
    CHECK(all[1].why == "erasure 1 of erasure log " + to_string(log_id{1, 2}));
    CHECK(all[2].why == "erasure 2 of erasure log " + to_string(log_id{1, 2}));
}

TEST_CASE("whatever goes wrong, each erasure is noted once after the next start", "[view][erasure_audit][crash]") {
    std::uint64_t calls = 0;
    for (auto const what : {testing::fault::fail, testing::fault::cut, testing::fault::after}) {
        for (std::uint64_t nth = 0; nth <= calls; ++nth) {
            CAPTURE(nth, static_cast<int>(what));
            testing::memory_files files;
            {
                office with{files};
                auto const before = files.operations();
                files.inject(nth, what);
                try {
                    with.everywhere.erase(customer_id{7});
                    with.everywhere.erase(customer_id{8});
                } catch (error const&) {  // NOLINT(bugprone-empty-catch): what was decided is noted by the next start
                }
                if (nth == 0) calls = files.operations() - before;
            }
            files.inject(0, what);
            files.restart();
            office with{files};
            CHECK(with.everywhere.resume().complete());
            CHECK(whys_in(files).size() == with.erasures.erasures());
            with.everywhere.erase(customer_id{9});
            auto const whys = whys_in(files);
            CHECK(whys.size() == with.erasures.erasures());
            for (std::size_t i = 0; i < whys.size(); ++i) {
                CHECK(whys[i].starts_with("erasure " + std::to_string(i + 1) + " "));
            }
        }
    }
    CHECK(calls > 10);
}
