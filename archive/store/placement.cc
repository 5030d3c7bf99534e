#include "archive/store/placement.h"

#include <algorithm>
#include <map>

#include "archive/format/digest.h"

namespace greffe::store {
namespace {

Digest score(std::string_view key, std::string_view site) {
  std::string text;
  text.reserve(key.size() + 1 + site.size());
  text.append(key).append(1, '\0').append(site);
  return sha256(as_bytes(text));
}

}  // namespace

std::vector<std::size_t> rank_sites(std::string_view key, const std::vector<PlacementSite>& sites) {
  struct Candidate {
    std::size_t turn = 0;  // 0: the best volume of its domain, 1: the second, …
    Digest domain_score;
    Digest own_score;
    std::size_t index = 0;
  };
  std::vector<Candidate> candidates;
  std::map<std::string_view, Digest> domains;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const auto [domain, added] = domains.try_emplace(sites[i].domain);
    if (added) domain->second = score(key, sites[i].domain);
    candidates.push_back({0, domain->second, score(key, sites[i].id), i});
  }
  for (Candidate& one : candidates) {
    one.turn = static_cast<std::size_t>(std::count_if(candidates.begin(), candidates.end(), [&](const Candidate& other) {
      return sites[other.index].domain == sites[one.index].domain && other.own_score > one.own_score;
    }));
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.turn != b.turn) return a.turn < b.turn;
    if (a.domain_score != b.domain_score) return a.domain_score > b.domain_score;
    return a.index < b.index;
  });
  std::vector<std::size_t> order;
  order.reserve(candidates.size());
  for (const Candidate& one : candidates) order.push_back(one.index);
  return order;
}

std::string_view placement_key(std::string_view key) {
  for (const std::string_view part : {"/tile/", "/stage/", "/cosigned/"}) {
    if (const std::size_t at = key.find(part); at != std::string_view::npos) return key.substr(0, at);
  }
  if (key.ends_with("/checkpoint")) return key.substr(0, key.size() - std::string_view("/checkpoint").size());
  return key;
}

}  // namespace greffe::store
