// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_KAPPA_REPLAY_REPORT_HPP
#define EXAMPLES_KAPPA_REPLAY_REPORT_HPP

#include "../retail/retail.hpp"

#include <driftless/driftless.hpp>
#include <driftless/view/deployment.hpp>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <utility>

namespace kappa {
namespace dl = driftless;
using namespace driftless::literals;
using retail::line;

/// What a country bought on a day, and the tax on it: 20 %, in hundredths of a penny.
struct day_report {
    std::int64_t lines, net_pence, tax;

    friend bool operator==(day_report const&, day_report const&) = default;
};
}  // namespace kappa
BOOST_HANA_ADAPT_STRUCT(kappa::day_report, lines, net_pence, tax);

namespace kappa {
inline constexpr auto no_tax = [](line const&) { return std::int64_t{0}; };
inline constexpr auto tax = [](line const& l) { return 20 * retail::amount(l); };

/// The report, by what it says about the tax.
constexpr auto report_by(auto tax_of) {
    return retail::lines_by_day
        | dl::key_by<&line::country>()
        | dl::window(dl::tumbling{24_h})
        | dl::aggregate<day_report>(dl::count(), dl::sum(retail::amount), dl::sum(tax_of));
}
inline constexpr auto without_tax = report_by(no_tax);
inline constexpr auto with_tax = report_by(tax);

using report_deployment = dl::deployment<std::string, day_report>;
using report_view = dl::view<std::string, day_report>;
using report_rows = std::map<std::pair<dl::time_window, std::string>, day_report>;

/// What the two versions say in the end, by batch runs.
struct batch_rows {
    report_rows without_tax, with_tax;
};
report_rows rows_of_batch(auto const& pipeline, dl::memory_log<line> const& all) {
    report_rows out;
    for (auto const& row : dl::run(dl::batch{}, pipeline, all)) out[{row.window, row.key}] = row.value;
    return out;
}
inline batch_rows rows_of_batch(dl::memory_log<line> const& all) {
    return {rows_of_batch(without_tax, all), rows_of_batch(with_tax, all)};
}
inline report_rows rows_of(report_view const& view) {
    report_rows out;
    view.snapshot().for_each(
        [&](auto const& row) { out[{row.window, std::string{row.key}}] = row.value; });
    return out;
}

/// What a new version must pass: it has the rows of the old one, and differs in the tax alone.
inline dl::validation<std::string, day_report> checks() {
    dl::validation<std::string, day_report> out;
    out.add(dl::counts{});
    out.invariant("the tax is 20 % or forgotten", [](day_report const& day) {
        return day.tax == 0 || day.tax == 20 * day.net_pence;
    });
    out.add("nothing but the tax has changed", [](auto const& fresh, auto const* current) {
        dl::verdict found;
        for (std::size_t i = 0; current != nullptr && i < fresh.size(); ++i) {
            auto const now = fresh[i].value();
            auto const before = (*current)[i].value();
            if (now.lines == before.lines && now.net_pence == before.net_pence) continue;
            found.result = dl::outcome::failed;
            found.why = "a row has another net amount";
        }
        return found;
    });
    return out;
}

inline void print_csv(report_rows const& rows) {
    std::cout << "day,country,lines,net_pence\n";
    for (auto const& [at, day] : rows) {
        std::cout << support::date(at.first.start) << ',' << at.second << ',' << day.lines << ',' << day.net_pence
                  << '\n';
    }
}
}  // namespace kappa
#endif
