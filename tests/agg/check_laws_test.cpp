// SPDX-License-Identifier: BSL-1.0
#include <driftless/testing/check_laws.hpp>

#include <driftless/agg/count.hpp>
#include <driftless/agg/sum.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace driftless;
using testing::check_laws;

// Each of these breaks one law of an aggregate that would otherwise keep them all.
namespace {
struct lawful {
    static constexpr std::string_view kind = "xor";
    static constexpr combine_class combines = combine_class::exact;
    int init(type_of<int>) const { return 0; }
    int lift(int record) const { return record; }
    void add(int& into, int record) const { into ^= record; }
    void remove(int& from, int record) const { from ^= record; }
    void combine(int& into, int later) const { into ^= later; }
    void inverse(int& from, int part) const { from ^= part; }
    int lower(int of) const { return of; }
};
struct not_associative : lawful {
    int init(type_of<int>) const = delete;
    void add(int& into, int record) const { into -= record; }
    void combine(int& into, int later) const { into -= later; }
};
struct average_of_averages {  // the classic: it even has an identity, and commutes
    static constexpr combine_class combines = combine_class::exact;
    double lift(int record) const { return record; }
    void combine(double& into, double later) const { into = (into + later) / 2; }
    double lower(double of) const { return of; }
};
struct associative_but_ordered : lawful {  // the last one: says exact, and is not
    int init(type_of<int>) const = delete;
    void add(int& into, int record) const { into = record; }
    void combine(int& into, int later) const { into = later; }
};
struct wrong_remove : lawful {
    void remove(int& from, int record) const { from -= record; }
};
struct wrong_inverse : lawful {
    void inverse(int& from, int part) const { from |= part; }
};
struct wrong_identity : lawful {
    int init(type_of<int>) const { return 1; }
};
struct wrong_add : lawful {
    void add(int& into, int record) const { into ^= record == 3 ? 2 : record; }
};
struct encoded_badly {
    int value = 0;
    void save(auto& out) const { out.write(value); }
    void load(auto& in) { value += in.template read<int>(); }
};
struct wrong_load {
    static constexpr std::string_view kind = "wrong_load";
    static constexpr combine_class combines = combine_class::exact;
    encoded_badly init(type_of<int>) const { return {}; }
    encoded_badly lift(int record) const { return {record}; }
    void combine(encoded_badly& into, encoded_badly later) const { into.value += later.value; }
    int lower(encoded_badly of) const { return of.value; }
};
/// Lists in order of arrival: fine as `ordered`; a set that forgets to sort, if it says exact.
template <combine_class Promise>
struct list {
    static constexpr std::string_view kind = "list";
    static constexpr combine_class combines = Promise;
    std::vector<int> lift(int record) const { return {record}; }
    void combine(std::vector<int>& into, std::vector<int> const& later) const {
        into.insert(into.end(), later.begin(), later.end());
    }
    std::size_t lower(std::vector<int> const& of) const { return of.size(); }
};
/// No codec and no operator==: only the result can be compared.
struct opaque {
    int* nothing = nullptr;
    int value = 0;
};
struct opaque_sum {
    static constexpr combine_class combines = combine_class::exact;
    opaque lift(int record) const { return {nullptr, record}; }
    void combine(opaque& into, opaque const& later) const { into.value += later.value; }
    int lower(opaque const& of) const { return of.value; }
};
struct opaque_difference : opaque_sum {
    void combine(opaque& into, opaque const& later) const { into.value -= later.value; }
};

std::vector<int> const records{3, 1, 4, 1, 5, 9, 2, 6};

template <class A>
void is_caught(A const& function, std::string_view part_of_sentence) {
    auto const report = check_laws(function, records);
    CAPTURE(report.sentence);
    CHECK_FALSE(report.ok);
    CHECK(report.sentence.find(part_of_sentence) != std::string::npos);
}
}  // namespace

TEST_CASE("check_laws passes what is lawful", "[testing][check_laws]") {
    for (auto const& report : {check_laws(lawful{}, records), check_laws(count(), records), check_laws(sum(), records),
             check_laws(list<combine_class::ordered>{}, records), check_laws(opaque_sum{}, records),
             check_laws(lawful{}, std::vector<int>{})}) {
        CAPTURE(report.sentence);
        CHECK(report.ok);
    }
}

TEST_CASE("check_laws names the broken law", "[testing][check_laws]") {
    is_caught(
        not_associative{}, "xor: combine is not associative: the parts do not make the whole, cut at 0 and 1 of 8");
    is_caught(average_of_averages{}, "aggregate: combine is not associative");
    is_caught(associative_but_ordered{}, "it says exact, yet the order of records shows");
    is_caught(wrong_remove{}, "remove does not undo add");
    is_caught(wrong_inverse{}, "inverse does not undo combine");
    is_caught(wrong_identity{}, "init() is no identity");
    is_caught(wrong_add{}, "add(state, record) differs from combine(state, lift(record)), first at record 0 of 8");
    is_caught(wrong_load{}, "is another one after save and load");
    is_caught(list<combine_class::exact>{}, "it says exact");
    is_caught(opaque_difference{}, "combine is not associative");
}

TEST_CASE("check_laws draws cuts where there are too many to try", "[testing][check_laws]") {
    std::vector<int> many;
    for (int i = 0; i < 500; ++i) many.push_back(i);
    CHECK(check_laws(lawful{}, many).ok);
    CHECK_FALSE(check_laws(not_associative{}, many).ok);
    CHECK(check_laws(not_associative{}, many, 7).sentence == check_laws(not_associative{}, many, 7).sentence);
}
