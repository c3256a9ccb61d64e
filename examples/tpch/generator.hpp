// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_TPCH_GENERATOR_HPP
#define EXAMPLES_TPCH_GENERATOR_HPP

#include "../support/random.hpp"
#include "../support/table.hpp"
#include "tpch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace tpch {

/// Makes up the tables of a wholesaler: ten orders per customer, though one customer in three has none; one to seven
/// lines per order, from 1992 to 1998.
///
/// Source      TPC Benchmark H, section 4.2: proportions, ranges, dates; the numbers are not those of its program.
class generator {
public:
    struct options {
        std::uint64_t orders = 0;
        std::uint64_t seed = 1;
    };
    explicit generator(options const& how) : orders_(static_cast<std::int64_t>(how.orders)), random_(how.seed) {
        for (int day = 0; day < days + 160; ++day) {
            dates_.push_back(support::date(dl::event_time::from_ms(694'224'000'000 + std::int64_t{day} * 86'400'000)));
        }
    }

    /// Appends to the tables of `to`: what has append(row).
    void fill(auto& to) {
        make_places(to);
        for (std::int64_t key = 1; key <= suppliers(); ++key) {
            auto const name = numbered("Supplier", key);
            to.suppliers.append(supplier{key, name, random_.below(nations), balance()});
        }
        for (std::int64_t key = 1; key <= customers(); ++key) {
            auto const name = numbered("Customer", key);
            auto const nation = random_.below(nations);
            auto const phone = phone_of(nation);
            to.customers.append(customer{key, name, nation, phone, balance(), pick(segments)});
        }
        for (std::int64_t key = 1; key <= parts(); ++key) make_part(key, to);
        for (std::int64_t key = 1; key <= orders_; ++key) make_order(key, to);
    }

private:
    static constexpr int days = 2406;  // orders from 1992-01-01 to 1998-08-02
    static constexpr std::int64_t nations = 25;
    static constexpr std::array<std::string_view, 5> segments{
        "AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"};
    std::int64_t orders_;
    support::random random_;
    std::vector<std::string> dates_;  // from 1992-01-01 on

    std::int64_t suppliers() const { return std::max<std::int64_t>(4, orders_ / 150); }
    std::int64_t customers() const { return std::max<std::int64_t>(2, orders_ / 10); }
    std::int64_t parts() const { return std::max<std::int64_t>(1, orders_ * 2 / 15); }
    static std::int64_t price_of(std::int64_t part) { return 90'000 + part / 10 % 20'001 + 100 * (part % 1000); }

    void make_places(auto& to) {
        constexpr std::array<std::string_view, 5> region_names{"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
        constexpr std::array<std::string_view, nations> nation_names{"ALGERIA", "ARGENTINA", "BRAZIL", "CANADA",
            "EGYPT", "ETHIOPIA", "FRANCE", "GERMANY", "INDIA", "INDONESIA", "IRAN", "IRAQ", "JAPAN", "JORDAN", "KENYA",
            "MOROCCO", "MOZAMBIQUE", "PERU", "CHINA", "ROMANIA", "SAUDI ARABIA", "VIETNAM", "RUSSIA", "UNITED KINGDOM",
            "UNITED STATES"};
        constexpr std::array<std::int64_t, nations> region_of{
            0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1};
        for (std::size_t i = 0; i < region_names.size(); ++i) {
            to.regions.append(region{static_cast<std::int64_t>(i), region_names[i]});
        }
        for (std::size_t i = 0; i < nation_names.size(); ++i) {
            to.nations.append(nation{static_cast<std::int64_t>(i), nation_names[i], region_of[i]});
        }
    }
    void make_part(std::int64_t key, auto& to) {
        constexpr std::array<std::string_view, 8> colours{
            "almond", "blush", "goldenrod", "lavender", "navajo", "spring", "thistle", "yellow"};
        constexpr std::array<std::string_view, 6> grades{"ECONOMY", "LARGE", "MEDIUM", "PROMO", "SMALL", "STANDARD"};
        constexpr std::array<std::string_view, 5> finishes{"ANODIZED", "BRUSHED", "BURNISHED", "PLATED", "POLISHED"};
        constexpr std::array<std::string_view, 5> metals{"BRASS", "COPPER", "NICKEL", "STEEL", "TIN"};
        constexpr std::array<std::string_view, 4> containers{"JUMBO PKG", "LG CASE", "MED BAG", "SM BOX"};
        std::string const name = words(pick(colours), pick(colours), pick(colours));
        auto const maker = std::to_string(1 + random_.below(5));
        auto const mfgr = "Manufacturer#" + maker;
        auto const brand = "Brand#" + maker + std::to_string(1 + random_.below(5));
        std::string const type = words(pick(grades), pick(finishes), pick(metals));
        to.parts.append(
            part{key, name, mfgr, brand, type, 1 + random_.below(std::int64_t{50}), pick(containers), price_of(key)});
        for (std::int64_t i = 0; i < 4; ++i) {
            to.partsupps.append(partsupp{key, supplier_of(key, i), 1 + random_.below(std::int64_t{9999}),
                100 + random_.below(std::int64_t{99'901})});
        }
    }
    void make_order(std::int64_t key, auto& to) {
        constexpr std::array<std::string_view, 5> priorities{
            "1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"};
        auto const day = random_.below(days);
        auto customer = 1 + random_.below(customers());
        if (customer % 3 == 0) --customer;
        std::int64_t total = 0, closed = 0;
        auto const count = 1 + random_.below(std::int64_t{7});
        for (std::int64_t number = 1; number <= count; ++number) {
            auto const line = make_line(key, number, day);
            total += line.l_extendedprice_c * (100 - line.l_discount_pct) * (100 + line.l_tax_pct) / 10'000;
            if (line.l_linestatus == "F") ++closed;
            to.lineitems.append(line);
        }
        auto const status = closed == count ? "F" : closed == 0 ? "O"
                                                                : "P";
        to.orders.append(order{key, customer, status, total, date(day), pick(priorities), 0});
    }
    lineitem make_line(std::int64_t order, std::int64_t number, int day) {
        constexpr std::array<std::string_view, 4> instructions{
            "COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"};
        constexpr std::array<std::string_view, 7> modes{"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"};
        constexpr std::string_view today = "1995-06-17";
        auto const part = 1 + random_.below(parts());
        auto const quantity = 1 + random_.below(std::int64_t{50});
        auto const shipped = day + 1 + random_.below(121);
        auto const promised = day + 30 + random_.below(61);
        auto const received = shipped + 1 + random_.below(30);
        auto const flag = date(received) > today ? "N" : random_.one_in(2) ? "R"
                                                                           : "A";
        auto const discount = random_.below(std::int64_t{11}), tax = random_.below(std::int64_t{9});
        return {order, part, supplier_of(part, random_.below(std::int64_t{4})), number, quantity,
            quantity * price_of(part), discount, tax, flag, date(shipped) > today ? "O" : "F", date(shipped),
            date(promised), date(received), pick(instructions), pick(modes)};
    }

    /// One of the four who have a part.
    std::int64_t supplier_of(std::int64_t part, std::int64_t which) const {
        return (part + which * (suppliers() / 4)) % suppliers() + 1;
    }
    std::int64_t balance() { return random_.below(std::int64_t{1'099'999}) - 99'999; }
    std::string_view date(int day) const { return dates_[static_cast<std::size_t>(day)]; }
    static std::string numbered(std::string_view what, std::int64_t key) {
        auto const digits = std::to_string(key);
        return std::string{what} + '#' + std::string(digits.size() < 9 ? 9 - digits.size() : 0, '0') + digits;
    }
    std::string phone_of(std::int64_t nation) {
        std::string out = std::to_string(10 + nation);
        for (int const least : {100, 100, 1000}) out += '-' + std::to_string(least + random_.below(9 * least));
        return out;
    }
    static std::string words(std::string_view a, std::string_view b, std::string_view c) {
        return std::string{a} + ' ' + std::string{b} + ' ' + std::string{c};
    }
    template <class List>
    std::string_view pick(List const& list) {
        return list[random_.below(list.size())];
    }
};
}  // namespace tpch
#endif
