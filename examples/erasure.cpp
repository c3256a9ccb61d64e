// SPDX-License-Identifier: BSL-1.0
// examples/erasure.cpp - a customer asks to be forgotten: her e-mail address lies sealed in a log that nobody rewrites,
// her total in the state of a job, in its snapshots and in a table. One call destroys her key and purges the rest; an
// old copy of the key store, brought back, opens nothing of hers.
// needs: sodium
// expect: before: ada@example.org paid 1250, bob@example.org paid 2500
// expect: erasure 1 of customer 0000000000000007: 1 key destroyed
// expect:   state totals: 1 removed (older snapshots removed: 1)
// expect:   view totals: 1 removed
// expect:   log orders partition 0: 50 values cannot be read any more, offsets 0 to 98
// expect:   complete
// expect: after: (erased) paid nothing, bob@example.org paid 2500
// expect: her address in any file, before and after: no, no
// expect: with an old copy of the key store: (erased) paid nothing, bob@example.org paid 2500
#include "support/kept_log.hpp"
#include "support/program.hpp"

#include <driftless/adapt/sodium.hpp>
#include <driftless/driftless.hpp>
#include <driftless/log/erasure.hpp>
#include <driftless/run/erase_state.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

namespace dl = driftless;
namespace fs = std::filesystem;

/// An id with a kind of its own: customer 7 is not order 7.
struct customer_id {
    static constexpr std::string_view subject_kind = "customer";
    std::uint64_t number = 0;
    friend auto operator<=>(customer_id const&, customer_id const&) = default;
};
BOOST_HANA_ADAPT_STRUCT(customer_id, number);

struct order {
    customer_id customer;
    dl::encrypted<customer_id, std::string> email;
    std::int64_t cents = 0;
    dl::event_time at;
};
BOOST_HANA_ADAPT_STRUCT(order, customer, email, cents, at);

/// What the job serves: rows by customer, in memory. A place that can be purged.
struct totals {
    std::map<customer_id, std::int64_t> rows{};

    void write(dl::pane<customer_id, std::int64_t> const& row) { rows[row.key] = row.value; }
    void remove(customer_id const& key, dl::time_window) { rows.erase(key); }
    std::uint64_t purge(dl::erased_subjects const& who) {
        return std::erase_if(rows, [&](auto const& row) { return who.contains(row.first); });
    }
};

bool on_disk(std::string const& folder, std::string const& what) {
    for (auto const& each : fs::recursive_directory_iterator{folder}) {
        if (!each.is_regular_file()) continue;
        std::ifstream in{each.path(), std::ios::binary};
        if (std::string{std::istreambuf_iterator<char>{in}, {}}.find(what) != std::string::npos) return true;
    }
    return false;
}
std::string line_of(order const& of, totals const& paid, dl::subject_keys const& keys) {
    auto const row = paid.rows.find(of.customer);
    auto const sum = row == paid.rows.end() ? "nothing" : std::to_string(row->second);
    return keys.open(of, &order::email).value_or("(erased)") + " paid " + sum;
}
char const* yes(bool it_is) { return it_is ? "yes" : "no"; }

namespace {
int erase_a_person() {
    support::temporary_folder const own;
    auto const& folder = own.path();
    auto const master = dl::sodium_key::make();  // in life: from where secrets are kept, never beside the data

    order hers;
    order his;
    totals paid;
    std::string backup;  // of the key store, from before
    {
        dl::erasure_log erasures{folder + "/erasures"};
        dl::sodium_key_store keys{folder + "/keys", master, erasures};
        dl::file_log<order> orders{folder + "/orders"};
        for (std::uint64_t i = 0; i < 100; ++i) {
            auto const n = static_cast<std::int64_t>(i);
            order o{{7 + i % 2}, {}, n % 2 == 0 ? 25 : n, dl::event_time{n}};
            keys.seal(o, &order::email, i % 2 == 0 ? "ada@example.org" : "bob@example.org");
            orders.append(o);
            (i % 2 == 0 ? hers : his) = o;
        }
        backup = *dl::read_whole_file(folder + "/keys/keys");

        auto const pipeline = dl::from<order>()
            | dl::assign_time<&order::at>()
            | dl::key_by<&order::customer>()
            | dl::window(dl::global{}, dl::at_watermark().early(dl::every(1)))
            | dl::aggregate(dl::sum<&order::cents>(), dl::unbounded_state{});
        auto const snapshots = folder + "/snapshots";
        dl::job running{dl::stream{.snapshots = snapshots}, pipeline, orders, paid};
        running.poll();
        running.save_snapshot();
        std::cout << "before: " << line_of(hers, paid, keys) << ", " << line_of(his, paid, keys) << '\n';
        bool const before = on_disk(folder, "ada@example.org");

        dl::job_state_place state{running, snapshots};
        dl::eraser everywhere{erasures, keys};
        everywhere.add("state", "totals", state).add("view", "totals", paid).add_log("orders", orders, &order::email);
        std::cout << everywhere.erase(customer_id{7}, "asked for by letter").text();
        std::cout << "after: " << line_of(hers, paid, keys) << ", " << line_of(his, paid, keys) << '\n';
        std::cout << "her address in any file, before and after: " << yes(before) << ", "
                  << yes(on_disk(folder, "ada@example.org")) << '\n';
    }
    dl::write_whole_file(folder + "/keys", "keys", backup);
    dl::erasure_log erasures{folder + "/erasures"};
    dl::sodium_key_store const keys{folder + "/keys", master, erasures};
    std::cout << "with an old copy of the key store: " << line_of(hers, paid, keys) << ", "
              << line_of(his, paid, keys) << '\n';
    return 0;
}
}  // namespace

int main() { return support::framed("erasure", erase_a_person); }
