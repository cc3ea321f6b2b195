# The things of the levels "normal" and "rich". `^` marks what only "rich" has; docs/storyworld.md describes the notation.

class child
  +f: Lily, Mia, Anna, Rose, Ella, Kate, Amy, Clara, Nora, Ruby, Daisy, Holly, Ivy, Poppy, Maya, Zoe, Emma, Lucy, Sara, Nina
  +m: Tom, Ben, Max, Sam, Jack, Tim, Leo, Dan, Oscar, Hugo, Finn, Noah, Peter, Olaf, Henry, Theo, Felix, Adam, Luke, Owen
  +f: ^Alice, ^Beatrix, ^Bella, ^Carmen, ^Celia, ^Chloe, ^Cora, ^Dora, ^Edith, ^Elsie, ^Esther, ^Fiona, ^Flora, ^Freya, ^Gemma
  +f: ^Greta, ^Hanna, ^Hazel, ^Heidi, ^Ingrid, ^Isla, ^Jasmine, ^Josie, ^Julia, ^June, ^Kira, ^Laura, ^Leila, ^Lena, ^Lola, ^Mabel
  +f: ^Martha, ^Matilda, ^Meg, ^Millie, ^Molly, ^Nell, ^Olive, ^Polly, ^Petra, ^Phoebe, ^Priya, ^Rita, ^Rosa, ^Sally, ^Selma
  +f: ^Sofia, ^Stella, ^Tara, ^Tessa, ^Tilly, ^Una, ^Vera, ^Wendy, ^Yara, ^Zelda, ^Aisha, ^Amina, ^Fatima, ^Mei, ^Yuki, ^Nadia
  +m: ^Albert, ^Alfie, ^Anton, ^Arlo, ^Arthur, ^Basil, ^Bruno, ^Caleb, ^Carl, ^Casper, ^Cyrus, ^David, ^Dexter, ^Edgar, ^Eli, ^Emil
  +m: ^Ezra, ^Frank, ^Fred, ^George, ^Gilbert, ^Gus, ^Harry, ^Hector, ^Ian, ^Isaac, ^Ivan, ^Jasper, ^Jonas, ^Karim, ^Kenji
  +m: ^Kofi, ^Lars, ^Lewis, ^Louis, ^Marco, ^Martin, ^Milo, ^Moses, ^Nico, ^Omar, ^Otis, ^Otto, ^Pablo, ^Paul, ^Quentin, ^Rafi
  +m: ^Ralph, ^Rory, ^Rupert, ^Amir, ^Seth, ^Simon, ^Stefan, ^Toby, ^Tariq, ^Ulf, ^Victor, ^Walter, ^Will, ^Xavier, ^Yusuf, ^Zack
  +m beast: Pip kind=a_young_squirrel, Bramble kind=a_young_badger, ^Thistle kind=a_small_hedgehog, ^Barnaby kind=a_little_bear
  +m beast: ^Fidget kind=a_young_otter, ^Nibs kind=a_little_mole, ^Tumble kind=a_small_beaver, ^Chip kind=a_young_chipmunk
  +f beast: Clover kind=a_little_rabbit, Wren kind=a_young_deer, ^Bryony kind=a_little_mouse, ^Velvet kind=a_small_kitten
  +f beast: ^Pebble kind=a_young_duck, ^Russet kind=a_little_fox, ^Maple kind=a_small_raccoon, ^Twig kind=a_young_sparrow

class kin
  +f: mother, grandmother, aunt, big_sister
  +m: father, grandfather, uncle, big_brother
  +f: ^godmother, ^stepmother, ^great-aunt
  +m: ^godfather, ^stepfather, ^great-uncle

# +paint: comes in every color; +cloth: comes in the colors of cloth; +find: has no color worth a word.
class thing
  +paint play=playing_with breaks part=wheel fix=glue: toy_car, toy_train, wooden_horse, ^toy_tractor, ^fire_engine, ^little_wagon
  +paint play=flying wind part=string fix=tape: kite, ^paper_glider, ^toy_airplane
  +paint play=playing breaks music part=strap fix=thread: drum, ^tambourine, ^accordion
  +find play=playing breaks music part=strap fix=thread: ^banjo, ^ukulele, ^guitar
  +find play=playing music: whistle, flute, ^trumpet, ^harmonica, ^violin, ^recorder, ^bugle, ^kazoo
  +paint play=hugging soft part=ear fix=thread breaks: teddy_bear, toy_rabbit, ^stuffed_elephant, ^plush_lamb, ^cloth_lion, ^toy_penguin
  +paint play=sailing floats part=sail fix=tape breaks: toy_boat, model_ship, ^little_raft, ^toy_canoe
  +paint play=reading: book, ^comic, ^picture_book, ^storybook
  +find play=reading: ^atlas
  +paint play=bouncing round: ball, ^football, ^beach_ball, ^rubber_ball
  +paint play=rolling round: marble, hoop, ^yo-yo, ^spinning_top, ^skittle
  +cloth play=wearing wear: hat, scarf, cap, ^bonnet, ^cloak, ^mitten, ^shawl, ^vest
  +find play=wearing wear: ^crown, ^bracelet, ^necklace, ^ring, ^mask, ^brooch
  +find play=dancing_with soft part=arm fix=thread breaks: doll, puppet, ^marionette, ^rag_doll, ^wooden_soldier
  +paint play=winding breaks part=spring fix=a_pin: music_box, robot, ^wind-up_mouse, ^toy_duck
  +find play=winding breaks part=spring fix=a_pin: ^cuckoo_clock
  +find play=looking_through breaks part=lens fix=glue: spyglass, ^telescope, ^magnifying_glass, ^camera, ^kaleidoscope
  +paint play=carrying breaks part=handle fix=string: basket, lantern, umbrella, ^bucket, ^watering_can, ^jug, ^suitcase, ^parasol
  +paint play=writing_with: pencil, ^crayon
  +find play=writing_with: ^paintbrush, ^quill
  +find play=looking_at: shell, feather, key, coin, ^medal, ^acorn, ^pebble, ^button, ^crystal, ^fossil, ^snow_globe, ^compass, ^stamp

# None that sleeps through the winter: the weather may be snow.
class animal
  dog, cat, duck, hen, rabbit, fox, owl, mouse, goat, robin, squirrel, sheep, donkey, crow, goose, pony
  ^badger, ^beaver, ^otter, ^raccoon, ^deer, ^pigeon, ^parrot, ^swan, ^lamb, ^calf, ^magpie, ^sparrow, ^blackbird, ^finch, ^raven
  ^seagull, ^weasel, ^hamster, ^peacock, ^rooster, ^piglet, ^kitten, ^puppy, ^woodpecker, ^hare, ^terrier, ^spaniel, ^poodle, ^tomcat
  ^sheepdog, ^greyhound, ^foal, ^ferret, ^stoat, ^thrush, ^jackdaw, ^pheasant, ^partridge, ^duckling, ^mule, ^turkey, ^starling

class place
  +prep=in out: park, garden, forest, meadow, village, orchard, ^valley, ^churchyard, ^courtyard, ^vineyard, ^clearing, ^marsh, ^desert
  +prep=at out: beach, market, farm, playground, lake, ^harbor, ^fairground, ^pond, ^campsite, ^waterfall, ^windmill, ^station
  +prep=by out: river, old_bridge, fountain, sea, ^canal, ^well, ^stream, ^lighthouse, ^crossroads, ^mill, ^statue, ^ruined_tower
  +prep=on out: hill, ^cliff, ^jetty, ^island, ^common, ^pier, ^moor, ^town_square
  +prep=in in: barn, library, attic, kitchen, school at=at_school to=to_school, ^bakery, ^museum, ^greenhouse, ^cellar, ^workshop, ^toy_shop, ^stable, ^castle
  +prep=in in: ^theater, ^treehouse, ^boathouse, ^post_office, ^chapel, ^cottage, ^tent, ^bookshop, ^laundry

class spot
  +in: under_the_bed, behind_the_door, in_a_basket, under_the_stairs, behind_the_curtain, in_the_oven, ^on_top_of_the_cupboard
  +in: ^in_the_pocket_of_an_old_coat, ^behind_the_bookcase, ^under_the_sofa, ^beside_the_chimney, ^in_the_laundry_basket
  +in: ^in_the_bottom_drawer, ^on_the_windowsill, ^under_a_cushion, ^in_a_rusty_kettle, ^beneath_the_rug, ^in_an_umbrella_stand
  +out: behind_a_bush, under_a_big_stone, beside_the_gate, between_two_stones, under_an_old_bench, behind_the_shed
  +out: in_an_empty_flowerpot, at_the_foot_of_a_tall_oak, ^inside_a_hollow_log, ^beneath_a_wheelbarrow, ^behind_a_milestone
  +out: ^under_a_heap_of_straw, ^in_an_empty_barrel, ^behind_a_stack_of_firewood, ^in_the_fork_of_a_birch, ^on_a_mossy_rock
  +out: ^underneath_an_upturned_bucket, ^behind_the_henhouse, ^in_the_roots_of_a_beech, ^next_to_a_hitching_post, ^in_a_wagon_rut

class color
  red, blue, green, yellow, pink, brown, white, black, orange, purple
  ^gray, ^golden, ^silver, ^crimson, ^turquoise, ^scarlet, ^violet

class cloth
  red, blue, green, yellow, gray, brown, white, black, ^striped, ^spotted, ^checkered, ^lilac, ^cream-colored, ^emerald, ^crimson

class size
  small, little, new, old, pretty, bright
  ^tiny, ^battered, ^handsome, ^splendid, ^faded, ^sturdy, ^homemade, ^well-loved, ^second-hand

# What can be said of a thing without a color.
class mark
  little, old, fine, pretty, very_old, rather_odd, strange, beautiful
  ^tiny, ^curious, ^dusty, ^splendid, ^mysterious, ^precious, ^peculiar, ^slightly_bent, ^much-traveled, ^old-fashioned

class food
  +sweet: cake, apple_pie, pudding, jam_tart, ^honey_cake, ^gingerbread a=some_gingerbread, ^trifle, ^fruit_salad, ^chocolate_cake, ^rhubarb_crumble
  +sweet: ^cherry_pie, ^lemon_tart, ^plum_pudding, ^carrot_cake, ^sponge_cake, ^pumpkin_pie, ^semolina_cake, ^custard_tart
  +mass: soup a=some_soup, stew a=some_stew, ^porridge a=some_porridge, ^onion_soup a=some_onion_soup, ^macaroni a=some_macaroni
  +mass: ^noodle_soup a=some_noodle_soup, ^mashed_potato a=some_mashed_potato, ^pea_soup a=some_pea_soup, ^rice a=some_rice
  ^omelette, ^pancake, ^pot_roast, ^vegetable_pie, ^cheese_toast a=some_cheese_toast

class snack
  +mass: bread, cheese, ^popcorn
  apples, cookies, sandwiches, berries, nuts, carrots
  ^muffins, ^pears, ^plums, ^crackers, ^raisins, ^biscuits, ^grapes, ^radishes, ^walnuts, ^pretzels, ^buns, ^peaches, ^cherries
  ^apricots, ^chestnuts, ^figs, ^melons, ^oranges, ^pickles, ^scones, ^toffees, ^waffles, ^almonds, ^blueberries

class ingredient
  flour, sugar, milk, butter, honey, eggs, salt, cinnamon
  ^yeast, ^oats, ^ginger, ^nutmeg, ^vanilla, ^cream, ^molasses, ^cocoa, ^lemon_juice, ^almond_paste, ^baking_powder, ^poppy_seeds

class plant
  sunflower, bean, pumpkin, carrot, rose, tulip, strawberry
  ^daffodil, ^lavender, ^marigold, ^pansy, ^turnip, ^cabbage, ^lettuce, ^cucumber, ^tomato, ^radish, ^peony, ^geranium, ^poppy
  ^snapdragon, ^foxglove, ^hollyhock, ^primrose, ^bluebell, ^parsnip, ^zucchini, ^melon, ^raspberry, ^daisy, ^crocus, ^hyacinth

class trait
  +shy: shy, quiet, timid, ^bashful, ^nervous
  +bold: brave, bold, ^daring, ^fearless, ^adventurous
  +kind: kind, gentle, ^generous, ^thoughtful, ^tender-hearted, ^caring
  +rash: careless, forgetful, ^hasty, ^impatient, ^clumsy, ^restless
  +keen: curious, clever, cheerful, ^inventive, ^eager, ^playful, ^patient, ^sensible, ^merry, ^stubborn, ^imaginative, ^hopeful

class pastime
  drawing, singing, running, climbing_trees, telling_stories, dancing, swimming, counting_stars, building_things
  ^collecting_stones, ^whistling, ^skipping, ^baking, ^painting, ^fishing, ^gardening, ^solving_riddles, ^juggling, ^skating
  ^watching_birds, ^making_lists, ^daydreaming, ^catching_snowflakes, ^knitting, ^carving_wood, ^inventing_games, ^humming
  ^asking_questions, ^pressing_flowers, ^hiding_in_corners, ^walking_on_walls, ^learning_poems, ^digging, ^sorting_buttons

class worker
  +f: baker, farmer, teacher, nurse, ^librarian, ^potter, ^gardener, ^weaver, ^seamstress, ^doctor, ^beekeeper, ^shopkeeper
  +m: postman, fisherman, carpenter, shepherd, ^blacksmith, ^cobbler, ^miller, ^clockmaker, ^ferryman, ^gamekeeper, ^tailor, ^sailor

class noise
  loud_bang, strange_squeak, soft_scratching, low_growl, long_howl
  ^faint_rustle, ^slow_creak, ^deep_rumble, ^sudden_crash, ^muffled_thump, ^mournful_moan, ^shrill_shriek, ^quick_patter, ^dull_clank
  ^eerie_whisper, ^hollow_knock, ^sharp_snap, ^steady_drip, ^scuffling_sound

class monster
  ghost, bear, wolf, dragon, ^goblin, ^giant, ^troll, ^witch, ^burglar, ^ogre, ^pirate, ^vampire, ^yeti, ^sea_serpent, ^phantom

class act
  song, dance, poem, magic_trick, ^juggling_act, ^puppet_show, ^handstand, ^cartwheel, ^riddle, ^folk_tale, ^tap_dance, ^comedy, ^ballad

class treasure
  gold_coin, silver_ring, glass_bead, old_letter, tiny_crown, ^carved_flute, ^pocket_watch, ^jade_frog, ^pearl_button, ^ivory_comb
  ^bronze_bell, ^painted_tile, ^locket, ^ruby_pin, ^tin_soldier, ^faded_photograph, ^clay_lamp, ^amber_necklace, ^brass_thimble

class chore
  ^sweep_the_yard, ^peel_potatoes, ^fold_the_sheets, ^feed_the_chickens, ^stack_the_logs, ^polish_the_spoons, ^rake_the_gravel
  ^shell_the_peas, ^wind_the_clock, ^darn_a_sock, ^beat_the_carpet, ^fetch_water, ^scrub_the_kettle, ^weed_the_onions, ^sharpen_pencils
  ^milk_the_cow, ^hang_up_the_washing, ^mend_the_fence, ^dust_the_shelves, ^grease_the_hinges, ^wash_the_windows, ^count_the_eggs

class stuff
  ^bottle_caps, ^bird_feathers, ^postcards, ^matchboxes, ^corks, ^ticket_stubs, ^pinecones, ^horseshoes, ^rubber_bands, ^seed_packets
  ^snail_shells, ^broken_watches, ^candle_ends, ^mismatched_gloves, ^doorknobs, ^eggshells, ^buckles, ^thimbles, ^tram_tokens, ^fishhooks

class number
  ^six, ^seven, ^nine, ^eleven, ^twelve, ^fourteen, ^nineteen, ^twenty-two, ^thirty, ^forty-one, ^fifty, ^sixty-three, ^eighty, ^ninety
