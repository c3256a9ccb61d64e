// SPDX-License-Identifier: BSL-1.0
// examples/cqrs_read_model.cpp - commands are decided on by a stateful function, what it accepts is a log of events,
// and two read models are made of that: orders by status, totals by customer. Both are read together, at one frontier.
// The side that writes is ended in the middle and started again, nine times. Then the read models are lost, and rebuilt
// by a replay of the events.
// expect: commands: 6592 accepted, 13408 rejected
// expect: orders: 1174 cancelled, 589 paid, 1395 placed, 557 shipped
// expect: both read models were those of plain loops over the same events, each time they were read
// expect: rebuilt by a replay: the same 200 customers
#include "support/kept_log.hpp"
#include "support/program.hpp"
#include "support/random.hpp"

#include <driftless/driftless.hpp>
#include <driftless/io/log_sink.hpp>
#include <driftless/log/read_range.hpp>
#include <driftless/view.hpp>
#include <driftless/view/reconcile.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace dl = driftless;
using namespace driftless::literals;

struct command {
    dl::text verb;  // place, pay, ship, cancel
    std::int64_t order, customer, cents;
    dl::event_time at;
};
/// What has become of an order.
struct order_event {
    std::int64_t order, customer, cents;
    dl::text status;
    dl::event_time at;

    [[nodiscard]] std::int64_t paid() const { return status == "paid" || status == "shipped" ? cents : 0; }
};
struct rejection {
    std::int64_t order;
    dl::text verb, why;
};
struct status_row {
    std::int64_t orders, cents;
    friend bool operator==(status_row const&, status_row const&) = default;
};
struct customer_row {
    std::int64_t orders, paid_cents;
    friend bool operator==(customer_row const&, customer_row const&) = default;
};
BOOST_HANA_ADAPT_STRUCT(command, verb, order, customer, cents, at);
BOOST_HANA_ADAPT_STRUCT(order_event, order, customer, cents, status, at);
BOOST_HANA_ADAPT_STRUCT(rejection, order, verb, why);
BOOST_HANA_ADAPT_STRUCT(status_row, orders, cents);
BOOST_HANA_ADAPT_STRUCT(customer_row, orders, paid_cents);

// --- the side that writes: commands are accepted or rejected, order by order --------------------------------------

struct placed_order {
    std::int64_t customer, cents;
    std::string status;
};
BOOST_HANA_ADAPT_STRUCT(placed_order, customer, cents, status);

struct decide {
    struct state {
        dl::value_state<placed_order> order;
    };
    using outputs = dl::side_outputs<dl::side_output<"rejected", rejection>>;

    void on_record(state& own, command const& c, auto& context) const {
        std::string_view const is = own.order ? std::string_view{own.order->status} : "";
        dl::text next, why;
        if (c.verb == "place") is.empty() ? next = "placed" : why = "it is there already";
        else if (c.verb == "pay") is == "placed" ? next = "paid" : why = "there is nothing to pay";
        else if (c.verb == "ship") is == "paid" ? next = "shipped" : why = "it is not paid";
        else is == "placed" ? next = "cancelled" : why = "it is too late";
        if (next.empty()) return context.emit("rejected"_name, {c.order, c.verb, why});
        if (is.empty()) own.order = {c.customer, c.cents, {}};
        own.order->status = next.str();
        context.emit({c.order, own.order->customer, own.order->cents, next, c.at});
    }
};
BOOST_HANA_ADAPT_STRUCT(decide::state, order);

inline constexpr auto decided =
    dl::from<command>()
    | dl::key_by<&command::order>()
    | dl::process<order_event>(decide{}, dl::max_keys{1'000'000});

// --- the side that is read: each order as it is now, by status and by customer -------------------------------------

inline constexpr auto read_models =
    dl::from<order_event>()
    | dl::assign_time<&order_event::at>(dl::monotone{})
    | dl::key_by<&order_event::order>()
    | dl::table(dl::max_keys{1'000'000})
    | dl::fork(dl::branch("by_status"_name,
        dl::key_by<&order_event::status>(),
        dl::aggregate<status_row>(dl::count(), dl::sum<&order_event::cents>(), dl::max_keys{10})))
    | dl::key_by<&order_event::customer>()
    | dl::aggregate<customer_row>(dl::count(), dl::sum([](order_event const& o) { return o.paid(); }),
        dl::max_keys{1'000'000});

using status_view = dl::view<std::string, status_row>;
using customer_view = dl::view<std::int64_t, customer_row>;

namespace {
using command_log = dl::file_log<command>;
using event_log = dl::file_log<order_event>;

/// Commands as users give them: some twice, some that make no sense.
std::vector<command> make_commands() {
    support::random random{5};
    std::vector<command> out;
    for (std::int64_t i = 0; i < 20'000; ++i) {
        auto const newest = i / 5;
        auto const order = random.one_in(3) ? newest : random.below(newest + 1);
        constexpr char const* verbs[] = {"place", "pay", "ship", "cancel"};
        auto const* const verb = verbs[order == newest ? 0 : random.below(4)];
        out.push_back({verb, order, random.below(200), 100 + order % 900, dl::event_time{} + i * 1_s});
    }
    return out;
}

template <class K, class V>
dl::row_set<K, V> rows_in(std::map<K, V> const& totals) {
    return dl::rows_of<K, V>([&](auto const& row) {
        for (auto const& [key, value] : totals) row(key, {}, value);
    });
}

/// Plain loops over the events: both read models of the first n.
class by_loops {
    struct order {
        std::int64_t customer, cents;
        std::string status;
    };
    event_log const& events_;
    std::uint64_t read_ = 0;
    std::map<std::int64_t, order> orders_;

public:
    explicit by_loops(event_log const& events) : events_(events) {}
    void read_until(std::uint64_t n) {
        dl::read_offsets(events_, 0, {read_, n}, [&](dl::partition_offset const&, order_event const& e) {
            orders_[e.order] = {e.customer, e.cents, e.status.str()};
        });
        read_ = n;
    }
    [[nodiscard]] auto by_status() const {
        std::map<std::string, status_row> totals;
        for (auto const& [id, o] : orders_) {
            auto& of = totals[o.status];
            of = {of.orders + 1, of.cents + o.cents};
        }
        return rows_in(totals);
    }
    [[nodiscard]] auto by_customer() const {
        std::map<std::int64_t, customer_row> totals;
        for (auto const& [id, o] : orders_) {
            auto& of = totals[o.customer];
            of = {of.orders + 1, of.paid_cents + (o.status == "paid" || o.status == "shipped" ? o.cents : 0)};
        }
        return rows_in(totals);
    }
};

/// The events that plain loops accept, by a table of what may follow what; and how many commands they reject.
std::vector<std::string> accepted_by_loops(std::vector<command> const& commands, std::uint64_t& rejected) {
    std::map<std::string, std::string> const next{{" place", "placed"}, {"placed pay", "paid"},
        {"placed cancel", "cancelled"}, {"paid ship", "shipped"}};
    std::map<std::int64_t, std::string> status;
    std::vector<std::string> out;
    for (auto const& c : commands) {
        auto const found = next.find(status[c.order] + ' ' + c.verb.str());
        if (found == next.end()) ++rejected;
        else out.push_back(std::to_string(c.order) + ' ' + (status[c.order] = found->second));
    }
    return out;
}

/// Reads both models together, until the end, and compares what it is told.
struct reader {
    event_log const& events;
    status_view const& by_status;
    customer_view const& by_customer;
    std::atomic<bool> done{false};
    std::uint64_t answers = 0, wrong = 0;

    void work() {
        by_loops expected{events};
        for (bool last = false; !last; ++answers) {
            last = done;
            auto const together = dl::read_together(by_status, by_customer);
            expected.read_until(std::get<0>(together).at().epoch);
            if (!dl::reconcile(dl::rows_of(std::get<0>(together)), expected.by_status())
                || !dl::reconcile(dl::rows_of(std::get<1>(together)), expected.by_customer())) {
                ++wrong;
            }
        }
    }
};

int decide_and_read() {
    support::temporary_folder const folder;
    command_log commands{folder.path() + "/commands"};
    event_log events{folder.path() + "/events"};
    dl::file_log<rejection> rejections{folder.path() + "/rejections"};
    auto const made = make_commands();

    status_view by_status{{.name = "by_status"}};
    customer_view by_customer{{.name = "by_customer"}};
    dl::job serving{dl::stream{}, read_models, events, dl::bind("by_status"_name, by_status), by_customer};
    reader one{.events = events, .by_status = by_status, .by_customer = by_customer};
    std::jthread reading{[&] { one.work(); }};
    struct end_of_reading {  // also where something is thrown
        reader& of;
        ~end_of_reading() { of.done = true; }
    } const at_end{one};

    // The side that writes is started ten times. Each run goes on behind the last snapshot of the one before: what that
    // had decided since is gone with it, is decided again, and is an event once.
    for (std::size_t run = 0; run < 10; ++run) {
        for (std::size_t i = 0; i < 2000; ++i) commands.append(made[run * 2000 + i]);
        commands.sync();
        dl::log_sink accepted{events};
        dl::log_sink rejected{rejections};
        dl::job writing{dl::stream{.snapshots = folder.path() + "/snapshots"}, decided, commands,
            dl::bind("rejected"_name, rejected), accepted};
        writing.poll(1500);
        writing.save_snapshot();
        while (writing.poll(700) != 0 && run == 9) writing.save_snapshot();
        serving.poll();
    }
    while (serving.poll() != 0) {}
    one.done = true;
    reading.join();

    std::uint64_t rejected_by_loops = 0;
    auto const expected = accepted_by_loops(made, rejected_by_loops);
    std::vector<std::string> found;
    dl::read_offsets(events, 0, {}, [&](order_event const& e) {
        found.push_back(std::to_string(e.order) + ' ' + e.status.str());
    });
    std::cout << "commands: " << found.size() << " accepted, " << rejections.end_offset() << " rejected\n";
    if (found != expected || rejections.end_offset() != rejected_by_loops) {
        std::cout << "plain loops accept " << expected.size() << " and reject " << rejected_by_loops << '\n';
        return 1;
    }
    char const* comma = "orders: ";
    for (auto const& row : by_status.snapshot().rows()) {
        std::cout << comma << row.value.orders << ' ' << row.key;
        comma = ", ";
    }
    if (one.wrong != 0) {
        std::cout << '\n'
                  << one.wrong << " of " << one.answers << " answers were wrong\n";
        return 1;
    }
    std::cout << "\nboth read models were those of plain loops over the same events, each time they were read\n";

    // Rebuilt: views that know nothing, and the events from the first one on.
    status_view statuses_again;
    customer_view customers_again;
    dl::job replay{dl::stream{}, read_models, events, dl::bind("by_status"_name, statuses_again), customers_again};
    while (replay.poll() != 0) {}
    if (!dl::reconcile(dl::rows_of(statuses_again), dl::rows_of(by_status))
        || !dl::reconcile(dl::rows_of(customers_again), dl::rows_of(by_customer))) {
        std::cout << "rebuilt, the rows are others\n";
        return 1;
    }
    std::cout << "rebuilt by a replay: the same " << by_customer.snapshot().size() << " customers\n";
    return 0;
}
}  // namespace

int main() { return support::framed("cqrs_read_model", decide_and_read); }
