// What a Catalogue holds; shared by the files that answer its questions.
#ifndef GREFFE_ARCHIVE_CATALOGUE_CATALOGUE_STATE_H
#define GREFFE_ARCHIVE_CATALOGUE_CATALOGUE_STATE_H

#include <string>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/read_pool.h"

namespace greffe::catalogue {

struct Catalogue::State {
  State(std::string path, unsigned connections) : pool(std::move(path), connections) {}
  ReadPool pool;
};

}  // namespace greffe::catalogue

#endif
