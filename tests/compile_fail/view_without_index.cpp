// SPDX-License-Identifier: BSL-1.0
// expect: this view has no such index: say view<K, V, indexed_by<&V::member>>
#include <boost/hana/adapt_struct.hpp>

#include <driftless/view/view.hpp>

struct totals {
    std::int64_t cents;
};
BOOST_HANA_ADAPT_STRUCT(totals, cents);
int main() {
    driftless::view<std::int64_t, totals> const out;
    return static_cast<int>(out.snapshot().where<&totals::cents>(3).size());
}
