// SPDX-License-Identifier: BSL-1.0
#include <driftless/codec/evolution.hpp>

#include <boost/hana/adapt_struct.hpp>

struct order {
    static constexpr std::array schema_aliases{driftless::schema_alias{"price", "cents"}};
    int cents = 0;
};
BOOST_HANA_ADAPT_STRUCT(order, cents);
driftless::record_reader<order> const reader{"{price:i32}"};
