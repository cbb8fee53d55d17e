use mod_alloc::alloc_budget;

#[alloc_budget(max = 1)]
mod empty {}

#[alloc_budget(max = 1)]
pub(crate) mod helpers {
    #[cfg(test)]
    pub(crate) fn helper() {}

    #[mod_alloc::alloc_budget(max = 1)]
    pub(crate) fn with_a_budget_of_its_own() {}

    #[derive(Clone)]
    pub(crate) struct Latest;
}

fn main() {
    helpers::Latest;
}
